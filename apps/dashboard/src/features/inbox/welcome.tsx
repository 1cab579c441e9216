/** On an empty store: the lines to paste, and the live run as soon as the first call arrives. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { api, ask } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { SelectField } from "../../ui/field.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { useToast } from "../../ui/toast.tsx";
import { initLine, installLine, KINDS, kindOf, type Project } from "./first-lines.ts";

export function Welcome() {
  const runs = useQuery({ queryKey: ["runs"], queryFn: () => ask(api.runs.$get({ query: {} })) });
  const navigate = useNavigate();
  const say = useToast();
  const wasEmpty = useRef(false);
  const first = runs.data?.runs[0]?.id;
  /** Then the question is about to stand here, which is where its person is. */
  const asks = runs.data?.runs.some(({ waiting }) => waiting > 0) === true;
  useEffect(() => {
    if (runs.data === undefined) return;
    if (first === undefined) wasEmpty.current = true;
    else if (wasEmpty.current && !asks) {
      wasEmpty.current = false;
      say("the first call is here: this is its run");
      void navigate({ to: "/runs/$id", params: { id: first } });
    }
  }, [first, asks, runs.data, navigate, say]);
  if (runs.data === undefined)
    return runs.isError ? <Failure error={runs.error} retry={() => void runs.refetch()} /> : <Skeleton lines={2} />;
  if (first === undefined) return <FirstLines />;
  return (
    <Empty title="Nothing waits for you">
      <p>A call that a policy pauses appears here at once.</p>
      <p className="mt-3">
        <Link to="/runs/$id" params={{ id: first }} className="font-medium text-accent underline underline-offset-2">
          Watch the latest run
        </Link>
      </p>
    </Empty>
  );
}

const NAMES = Object.fromEntries(Object.entries(KINDS).map(([kind, { name }]) => [kind, name]));

function FirstLines() {
  // Read again whenever the page is looked at: in between somebody installs it, or writes the first policy.
  const project = useQuery({ queryKey: ["project"], queryFn: () => ask(api.project.$get()), staleTime: 0 });
  const [chosen, setChosen] = useState<string | null>(null);
  const { data } = project;
  if (data === undefined)
    return project.isError ? (
      <Failure error={project.error} retry={() => void project.refetch()} />
    ) : (
      <Skeleton lines={4} />
    );
  const kind = chosen ?? kindOf(data);
  const lines = KINDS[kind]?.lines(data);
  return (
    <Card className="p-5 md:p-7">
      <h2 className="text-xl font-semibold">Put the gate in front of your agent</h2>
      <p className="mt-1 mb-4 text-muted">Paste this, and run your agent from this directory.</p>
      <SelectField
        label="Your tools come from"
        choices={Object.keys(KINDS)}
        texts={NAMES}
        value={kind}
        onChange={({ target }) => setChosen(target.value)}
      />
      <Installing project={data} />
      <Snippet label="The lines to paste" text={lines?.text ?? ""} />
      {lines?.about.map((sentence) => (
        <p key={sentence} className="mt-2 text-muted">
          <WithCode text={sentence} />
        </p>
      ))}
      <Policies project={data} kind={kind} />
      <p className="mt-5 flex items-center gap-2 text-muted" role="status">
        <span aria-hidden="true" className="size-2 rounded-full bg-accent motion-safe:animate-pulse" />
        waiting for the first call: this page turns into its run
      </p>
    </Card>
  );
}

function Installing({ project }: { readonly project: Project }) {
  const line = installLine(project);
  if (line !== undefined) return <Snippet label="Install it" text={line} />;
  if (project.sdk === "installed") return null;
  return (
    <p className="mt-3">
      <WithCode text="`@saferun/sdk` cannot be imported from here, and is in no registry yet. Work in a folder below `examples/` of the clone that this command comes from." />
    </p>
  );
}

function Policies({ project, kind }: { readonly project: Project; readonly kind: string }) {
  const modules = project.policies.filter((file) => /\.m?ts$/.test(file));
  if (project.policies.length === 0) {
    return (
      <>
        <p className="mt-5 font-medium">No policies yet? This writes the first ones:</p>
        <Snippet label="The first policies" text={initLine(project, kind)} />
      </>
    );
  }
  return modules.length === 0 ? null : (
    <p className="mt-2 text-muted">
      <WithCode
        text={`${modules.map((file) => `\`${file}\``).join(", ")}: import what it exports, and put it into the list of \`policies\`.`}
      />
    </p>
  );
}

/** What stands between backticks as code. */
function WithCode({ text }: { readonly text: string }): ReactNode {
  return text.split("`").map((piece, at) =>
    at % 2 === 0 ? (
      piece
    ) : (
      <code key={piece} className="font-mono text-ink">
        {piece}
      </code>
    ),
  );
}

function Snippet({ label, text }: { readonly label: string; readonly text: string }) {
  const [copied, setCopied] = useState<string | null>(null);
  return (
    <section aria-label={label} className="relative mt-3">
      <pre className="whitespace-pre-wrap break-words rounded-md bg-sunken p-4 pr-20 font-mono text-sm">{text}</pre>
      <Button
        className="absolute top-1.5 right-1.5"
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(text))}
      >
        {copied === text ? "Copied" : "Copy"}
      </Button>
    </section>
  );
}
