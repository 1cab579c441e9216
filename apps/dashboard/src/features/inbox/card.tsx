/** One question: what will run, why it was paused, who else must agree, until when; and the answer. */
import type { Json } from "@saferun/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { api, ask } from "../../api/client.ts";
import { messageOf } from "../../api/problem.ts";
import { Badge, StateBadge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Difference } from "../../ui/difference.tsx";
import { TextField } from "../../ui/field.tsx";
import { JsonTree } from "../../ui/json-tree.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { spanText, Time, useNow } from "../../ui/time.tsx";
import { valueAt } from "../../ui/value-at.ts";
import { words } from "../../ui/words.ts";
import {
  type Approval,
  argumentsOf,
  fieldsOf,
  proposedOf,
  readApproval,
  type Summary,
  typedArguments,
} from "./approval.ts";
import { useDecision } from "./decide.ts";
import { EditForm } from "./edit-form.tsx";

export function ApprovalCard({ summary, current }: { readonly summary: Summary; readonly current: boolean }) {
  const { id } = summary;
  const { data, error, refetch } = useQuery({ queryKey: ["approvals", id], queryFn: () => readApproval(id) });
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  return data === undefined ? <Skeleton lines={3} /> : <Question approval={data} current={current} />;
}

function Question({ approval, current }: { readonly approval: Approval; readonly current: boolean }) {
  const open = approval.state === "pending";
  return (
    <Card className={words(current && "ring-2 ring-accent", !open && "opacity-80")}>
      <article aria-labelledby={`tool-${approval.id}`} id={approval.id} className="p-4 md:p-5">
        <Head approval={approval} />
        <Reasons approval={approval} />
        <Arguments approval={approval} />
        <People approval={approval} />
        {open ? <Answer key={approval.version} approval={approval} /> : <Decided approval={approval} />}
      </article>
    </Card>
  );
}

function Head({ approval }: { readonly approval: Approval }) {
  return (
    <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1">
      <div className="min-w-0">
        <h2 id={`tool-${approval.id}`} className="text-lg font-semibold break-words">
          <Untrusted>{approval.tool}</Untrusted>
        </h2>
        <p className="text-muted">
          <Untrusted>{approval.agent}</Untrusted> in <Untrusted>{approval.environment}</Untrusted>,{" "}
          <Time at={approval.created_at} /> ·{" "}
          <Link to="/runs/$id" params={{ id: approval.run }} className="text-accent underline underline-offset-2">
            the run
          </Link>
        </p>
      </div>
      {approval.state === "pending" ? <Deadline at={approval.deadline} /> : <StateBadge state={approval.state} />}
    </div>
  );
}

const SOON_MS = 60_000;

function Deadline({ at }: { readonly at: string }) {
  const left = Date.parse(at) - useNow();
  if (left <= 0) return <Badge tone="deny">the time is over</Badge>;
  return <Badge tone={left < SOON_MS ? "deny" : "pause"}>silence denies it in {spanText(left)}</Badge>;
}

function Reasons({ approval }: { readonly approval: Approval }) {
  return (
    <Part title="Why it was paused">
      <ul className="space-y-1">
        {approval.reasons.map(({ id, reason }) => (
          <li key={id}>
            <Untrusted>{reason}</Untrusted>{" "}
            <code className="text-sm text-muted">
              <Untrusted>{id}</Untrusted>
            </code>
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** What rules want shown comes first and larger; nothing is hidden. */
function Arguments({ approval }: { readonly approval: Approval }) {
  const args = argumentsOf(approval);
  const first = [...new Set(approval.reasons.flatMap(({ show }) => show))].flatMap((path) => {
    const value = valueAt(args, path);
    return value === undefined ? [] : [{ path, value }];
  });
  return (
    <Part title="What will run">
      {first.length === 0 ? null : (
        <dl className="mb-3 flex flex-wrap gap-x-8 gap-y-2">
          {first.map(({ path, value }) => (
            <div key={path}>
              <dt className="text-sm text-muted">
                <Untrusted>{path}</Untrusted>
              </dt>
              <dd className="text-xl font-semibold tabular-nums">
                {typeof value === "number" ? value.toLocaleString() : <JsonTree value={value} />}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <JsonTree value={args} marked={new Set(approval.editable_paths)} />
      {approval.edit === null ? null : (
        <div className="mt-3">
          <p className="mb-1 font-medium">
            Edited by <Untrusted>{approval.edit.by}</Untrusted>
          </p>
          <Difference before={proposedOf(approval)} after={argumentsOf(approval)} />
        </div>
      )}
    </Part>
  );
}

function People({ approval }: { readonly approval: Approval }) {
  const more = approval.missing.reduce((sum, { people }) => sum + people, 0);
  if (approval.votes.length === 0 && more < 2) return null;
  return (
    <Part title="Who has to agree">
      <ul>
        {approval.votes.map(({ by, via }) => (
          <li key={by}>
            <Badge tone="allow">agreed</Badge> <Untrusted>{by}</Untrusted> <span className="text-muted">in {via}</span>
          </li>
        ))}
      </ul>
      {approval.state !== "pending" || more === 0 ? null : (
        <p className="text-muted">
          {more} more {more === 1 ? "person" : "people"}
          {rolesText(approval)}
        </p>
      )}
    </Part>
  );
}

function rolesText({ missing }: Approval): string {
  const roles = [...new Set(missing.flatMap((one) => (Array.isArray(one.roles) ? one.roles.map(String) : [])))];
  return roles.length === 0 ? "" : ` with the role ${roles.join(" or ")}`;
}

function Answer({ approval }: { readonly approval: Approval }) {
  const [editing, setEditing] = useState(false);
  const [typed, setTyped] = useState<ReadonlyMap<string, string>>(new Map());
  const [note, setNote] = useState("");
  const decision = useDecision(approval);
  const fields = fieldsOf(approval);
  const before = argumentsOf(approval);
  const { args, mistakes } = typedArguments(approval, typed);
  const edited = editing && JSON.stringify(args) !== JSON.stringify(before);
  const foreseen = useForeseen(approval, edited && mistakes.size === 0 ? args : undefined);
  const blocked = mistakes.size > 0 || foreseen !== null;

  return (
    <form
      className="mt-5 border-t border-line pt-4"
      onSubmit={(event) => {
        event.preventDefault();
        decision.mutate({ verdict: "approve", note, ...(edited ? { args } : {}) });
      }}
    >
      {editing ? (
        <div className="mb-4 space-y-4">
          <EditForm
            fields={fields}
            typed={typed}
            mistakes={mistakes}
            onType={(path, text) => setTyped(new Map(typed).set(path, text))}
          />
          {edited && mistakes.size === 0 ? <Difference before={before} after={args} /> : null}
          {foreseen === null ? null : (
            <p role="alert" className="rounded-md bg-deny-soft px-3 py-2 text-deny">
              {foreseen}
            </p>
          )}
        </div>
      ) : null}
      <TextField
        label="Note"
        hint="Optional. It stands in the record, and the agent is told."
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      {decision.isError ? (
        <p role="alert" className="mt-3 rounded-md bg-deny-soft px-3 py-2 text-deny">
          {messageOf(decision.error)}
        </p>
      ) : null}
      <div className="mt-4 flex flex-wrap gap-2">
        <Button type="submit" tone="primary" busy={decision.isPending} disabled={blocked} data-act="approve">
          {edited ? "Approve as edited" : "Approve"}
        </Button>
        {fields.length === 0 ? null : (
          <Button onClick={() => setEditing(!editing)} aria-expanded={editing} data-act="edit">
            {editing ? "Discard edit" : "Edit"}
          </Button>
        )}
        <Button
          tone="danger"
          className="ml-auto"
          busy={decision.isPending}
          onClick={() => decision.mutate({ verdict: "deny", note })}
          data-act="deny"
        >
          Deny
        </Button>
      </div>
    </form>
  );
}

const TYPING_MS = 250;

/** What the policies in force say of the edit, asked when the person pauses; null: nothing against it. */
function useForeseen(approval: Approval, args: unknown): string | null {
  const [said, setSaid] = useState<{ readonly text: string; readonly message: string | null } | null>(null);
  const text = args === undefined ? "" : JSON.stringify(args);
  useEffect(() => {
    if (text === "") return;
    const timer = setTimeout(() => {
      ask(api.approvals[":id"].foresee.$post({ param: { id: approval.id }, json: { args: JSON.parse(text) } })).then(
        ({ message }) => setSaid({ text, message }),
        // The gate says it again when it is decided.
        () => undefined,
      );
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [approval.id, text]);
  return said !== null && said.text === text ? said.message : null;
}

function Decided({ approval }: { readonly approval: Approval }) {
  const { decision } = approval;
  if (decision === null) return null;
  return (
    <Part title="What was decided">
      <p>
        {decision.verdict === "deny" ? "Denied" : decision.edited ? "Approved as edited" : "Approved"} by{" "}
        <Untrusted>{decision.by}</Untrusted>
        {decision.verified ? "" : ", not verified"} in {decision.via}, <Time at={decision.at} />
      </p>
      {decision.note === null ? null : (
        <p className="text-muted">
          <Untrusted>{decision.note}</Untrusted>
        </p>
      )}
      {decision.edited ? <Difference before={proposedOf(approval)} after={decision.args as Json} /> : null}
    </Part>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="mt-4">
      <h3 className="mb-1 text-sm font-semibold text-muted">{title}</h3>
      {children}
    </div>
  );
}
