/** On an empty store: the lines to paste, and the live run as soon as the first call arrives. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Empty, Skeleton } from "../../ui/states.tsx";
import { FIRST_LINES } from "./first-lines.ts";

export function Welcome() {
  const health = useQuery({ queryKey: ["health"], queryFn: () => ask(api.health.$get()) });
  const runs = useQuery({ queryKey: ["runs"], queryFn: () => ask(api.runs.$get({ query: {} })) });
  if (health.data === undefined || runs.data === undefined) return <Skeleton lines={2} />;
  const [run] = runs.data.runs;
  if (run !== undefined) {
    return (
      <Empty title="Nothing waits for you">
        <p>A call that a policy pauses appears here at once.</p>
        <p className="mt-3">
          <Link to="/runs/$id" params={{ id: run.id }} className="font-medium text-accent underline underline-offset-2">
            Watch the latest run
          </Link>
        </p>
      </Empty>
    );
  }
  const lines = FIRST_LINES[health.data.framework ?? ""] ?? FIRST_LINES.function;
  return (
    <Card className="p-5 md:p-7">
      <h2 className="text-xl font-semibold">Put the gate in front of your agent</h2>
      <p className="mt-1 text-muted">
        {lines === undefined ? "" : `For ${lines.name}. `}Run it from this directory: the first call appears here.
      </p>
      <Snippet text={lines?.text ?? ""} />
      <p className="mt-5 font-medium">No policies yet?</p>
      <Snippet text="npx saferun init" />
      <p className="mt-5 flex items-center gap-2 text-muted" role="status">
        <span aria-hidden="true" className="size-2 rounded-full bg-accent motion-safe:animate-pulse" />
        waiting for the first call
      </p>
    </Card>
  );
}

function Snippet({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div className="relative mt-3">
      <pre className="overflow-x-auto rounded-md bg-sunken p-4 pr-20 font-mono text-sm">{text}</pre>
      <Button
        className="absolute top-1.5 right-1.5"
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
      >
        {copied ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}
