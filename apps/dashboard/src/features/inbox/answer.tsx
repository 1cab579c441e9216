/** The answer to a question: approve, as it stands or edited, or deny. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, ask } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { Difference } from "../../ui/difference.tsx";
import { TextField } from "../../ui/field.tsx";
import { type Approval, amountsIn, argumentsOf, fieldsOf, type TypedFields, typedArguments } from "./approval.ts";
import { grantMistakes, type useDecision } from "./decide.ts";
import { EditForm } from "./edit-form.tsx";
import { firstGrant, type Grant, GrantForm } from "./grant.tsx";
import { missingPeople } from "./people.tsx";

export interface AnswerProps {
  readonly approval: Approval;
  readonly decision: ReturnType<typeof useDecision>;
}

export function Answer({ approval, decision }: AnswerProps) {
  const [editing, setEditing] = useState(false);
  const [typed, setTyped] = useState<TypedFields>(new Map());
  const [note, setNote] = useState("");
  const [noting, setNoting] = useState(false);
  const [grant, setGrant] = useState<Grant | null>(null);
  const suspended = approval.state === "suspended";
  const agreed = useAgreed(approval);
  const before = argumentsOf(approval);
  const { args, mistakes } = typedArguments(approval, typed);
  const fields = fieldsOf(approval, args);
  const edited = editing && JSON.stringify(args) !== JSON.stringify(before);
  const foreseen = useForeseen(approval, edited && mistakes.size === 0 ? args : undefined);
  const blocked = suspended || (agreed && !edited) || mistakes.size > 0 || foreseen !== null;

  return (
    <form
      // Not a box of its own, so that the buttons stay at the bottom of the screen while any of the card is seen.
      className="contents"
      onSubmit={(event) => {
        event.preventDefault();
        decision.mutate({
          ...{ verdict: "approve", note },
          ...(edited ? { args } : {}),
          ...(grant === null ? {} : { grant }),
        });
      }}
    >
      {editing ? (
        <div className="mt-5 space-y-4 border-t border-line pt-4">
          <EditForm
            fields={fields}
            typed={typed}
            mistakes={mistakes}
            onType={(path, text) => setTyped(new Map(typed).set(path, text))}
          />
          {edited && mistakes.size === 0 ? (
            <Difference before={before} after={args} amountsIn={amountsIn(approval)} />
          ) : null}
          {foreseen === null ? null : (
            <p role="alert" className="rounded-md bg-deny-soft px-3 py-2 text-deny">
              {foreseen}
            </p>
          )}
        </div>
      ) : null}
      {approval.grant_offer === null || grant === null ? null : (
        <GrantForm
          offer={approval.grant_offer}
          grant={grant}
          mistakes={grantMistakes(decision.error)}
          onChange={setGrant}
        />
      )}
      {suspended ? (
        <p className="mt-4">
          It is suspended: a{" "}
          <Link to="/protections" className="text-accent underline underline-offset-2">
            stop
          </Link>{" "}
          is in force, or the clock has jumped. It can be denied now, and approved when that is lifted.
        </p>
      ) : null}
      {agreed && !suspended ? <p className="mt-4 font-medium">You have agreed. {waitingText(approval)}</p> : null}
      {noting ? (
        <div className="mt-4">
          <TextField
            label="Note"
            hint="It stands in the record, and the agent is told."
            value={note}
            autoFocus
            onChange={(event) => setNote(event.target.value)}
          />
        </div>
      ) : null}
      <div className="sticky bottom-[3.8rem] -mx-4 mt-4 -mb-4 flex flex-wrap gap-2 rounded-b-card border-t border-line bg-surface px-4 py-3 md:bottom-0 md:-mx-5 md:-mb-5 md:px-5">
        <Button
          type="submit"
          tone="primary"
          className="max-sm:flex-1"
          busy={decision.isPending}
          disabled={blocked}
          data-act="approve"
        >
          {edited ? "Approve as edited" : "Approve"}
          {grant === null ? "" : ", and the like"}
        </Button>
        {fields.length === 0 || suspended ? null : (
          <Button onClick={() => setEditing(!editing)} aria-expanded={editing} data-act="edit">
            {editing ? "Discard edit" : "Edit"}
          </Button>
        )}
        <GrantButton offer={approval.grant_offer} grant={grant} onChange={setGrant} />
        {noting ? null : (
          <Button tone="quiet" onClick={() => setNoting(true)}>
            Add a note
          </Button>
        )}
        <Button
          tone="danger"
          className="ml-auto max-sm:flex-1"
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

interface GrantButtonProps {
  /** Null: nothing may be permitted beside the call. */
  readonly offer: Approval["grant_offer"];
  readonly grant: Grant | null;
  readonly onChange: (grant: Grant | null) => void;
}

function GrantButton({ offer, grant, onChange }: GrantButtonProps) {
  if (offer === null) return null;
  return (
    <Button
      tone="quiet"
      aria-expanded={grant !== null}
      onClick={() => onChange(grant === null ? firstGrant(offer) : null)}
    >
      {grant === null ? "Permit the like too…" : "Only this call"}
    </Button>
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

/** This account's own yes counts once; an edit of it is another question. */
function useAgreed({ votes }: Approval): boolean {
  const { data } = useQuery({ queryKey: ["health"], queryFn: () => ask(api.health.$get()) });
  return data !== undefined && votes.some(({ by }) => by === `local:${data.user}`);
}

function waitingText(approval: Approval): string {
  const more = missingPeople(approval);
  return more === 1 ? "One more person has to." : `${more} more people have to.`;
}
