/** What the compiler and the analysis say, each a way to its place. */
import { Badge } from "../../ui/badge.tsx";
import { UntrustedLines } from "../../ui/text.tsx";
import type { PolicyIssue } from "./read.ts";

const MOST = 200;
const TONES = { error: "deny", warning: "pause", note: "plain" } as const;

const ORDER: readonly PolicyIssue["severity"][] = ["error", "warning", "note"];

export interface ProblemsProps {
  readonly issues: readonly PolicyIssue[];
  readonly onJump: (issue: PolicyIssue) => void;
}

export function Problems({ issues, onJump }: ProblemsProps) {
  if (issues.length === 0) return null;
  const first = [...issues].sort((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
  return (
    <ul aria-label="Problems" className="max-h-72 divide-y divide-line overflow-auto border-t border-line">
      {first.slice(0, MOST).map((issue) => (
        <li key={`${issue.file}:${issue.line}:${issue.column} ${issue.code} ${issue.message}`}>
          <button
            type="button"
            className="flex w-full items-baseline gap-3 px-4 py-2 text-left hover:bg-sunken focus-visible:-outline-offset-2"
            onClick={() => onJump(issue)}
          >
            <Badge tone={TONES[issue.severity]}>{issue.severity}</Badge>
            <span className="min-w-0 flex-1 break-words">
              <UntrustedLines>{issue.message}</UntrustedLines>
              {issue.hint === null ? null : (
                <span className="block text-muted">
                  <UntrustedLines>{issue.hint}</UntrustedLines>
                </span>
              )}
            </span>
            <span className="font-mono text-sm whitespace-nowrap text-muted">
              {issue.file.split("/").at(-1)}:{issue.line}:{issue.column}
            </span>
          </button>
        </li>
      ))}
      {issues.length > MOST ? <li className="px-4 py-2 text-muted">and {issues.length - MOST} more</li> : null}
    </ul>
  );
}
