/** What a page shows when it has nothing, waits, or failed: each says what to do. */
import type { ReactNode } from "react";
import { messageOf, RequestProblem, UNREACHABLE } from "../api/problem.ts";
import { Button } from "./button.tsx";
import { PageHead } from "./card.tsx";
import { words } from "./words.ts";

export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="rounded-card border border-dashed border-line-strong px-6 py-14 text-center">
      <h2 className="text-lg font-semibold">{title}</h2>
      <div className="mx-auto mt-2 max-w-prose text-muted">{children}</div>
    </div>
  );
}

const BARS = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Grey bars in the place of what is being read. */
export function Skeleton({ lines = 4, className }: { readonly lines?: number; readonly className?: string }) {
  return (
    <div role="status" aria-label="reading" className={words("space-y-3", className)}>
      {BARS.slice(0, lines).map((bar) => (
        <div key={bar} className="h-10 motion-safe:animate-pulse rounded-md bg-sunken" />
      ))}
    </div>
  );
}

interface UnreadProps {
  readonly title: string;
  /** Null while it is still read. */
  readonly error: unknown;
  readonly retry: () => void;
}

/** A page whose content is being read, or cannot be: what page it is stands there all the same. */
export function Unread({ title, error, retry }: UnreadProps) {
  return (
    <>
      <PageHead title={title} />
      {error === null ? <Skeleton lines={6} /> : <Failure error={error} retry={retry} />}
    </>
  );
}

export function Failure({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const problem = error instanceof RequestProblem ? error : undefined;
  const { title, advice } = aboutProblem(problem);
  return (
    <div role="alert" className="rounded-card border border-deny bg-deny-soft px-5 py-4">
      <p className="font-semibold text-deny">{title}</p>
      <p className="mt-1">{messageOf(error)}</p>
      {advice === undefined ? null : <p className="mt-1 text-muted">{advice}</p>}
      {retry === undefined || problem?.status === 401 ? null : (
        <Button className="mt-3" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

interface About {
  readonly title: string;
  /** What to do, where the gate's own words do not say it. */
  readonly advice?: ReactNode;
}

function aboutProblem(problem: RequestProblem | undefined): About {
  if (problem?.code === UNREACHABLE) {
    const advice = (
      <>
        See whether <Code>saferun dev</Code> still runs where it was started. Once it answers again, this page goes on.
      </>
    );
    return { title: "The gate does not answer", advice };
  }
  if (problem?.status === 401) return { title: "This browser is not signed in" };
  if (problem?.status === 404) {
    const advice = "It may be of another store than the one in the settings, or older than what is kept.";
    return { title: "There is nothing here", advice };
  }
  if (problem !== undefined && problem.status >= 500) {
    const advice = (
      <>
        <Code>docs/errors.md</Code> says what to do about <Code>{problem.code}</Code>.
      </>
    );
    return { title: "The gate could not do this", advice };
  }
  return { title: "This could not be done" };
}

function Code({ children }: { readonly children: ReactNode }) {
  return <code className="font-mono text-sm">{children}</code>;
}
