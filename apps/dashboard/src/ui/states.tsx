/** What a page shows when it has nothing, waits, or failed: each says what to do. */
import type { ReactNode } from "react";
import { messageOf, RequestProblem, UNREACHABLE } from "../api/problem.ts";
import { Button } from "./button.tsx";
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

export function Failure({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const problem = error instanceof RequestProblem ? error : undefined;
  return (
    <div role="alert" className="rounded-card border border-deny bg-deny-soft px-5 py-4">
      <p className="font-semibold text-deny">{titleOf(problem)}</p>
      <p className="mt-1">{messageOf(error)}</p>
      {retry === undefined || problem?.status === 401 ? null : (
        <Button className="mt-3" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

function titleOf(problem: RequestProblem | undefined): string {
  if (problem?.code === UNREACHABLE) return "The gate does not answer";
  if (problem?.status === 401) return "This browser is not signed in";
  return "This could not be done";
}
