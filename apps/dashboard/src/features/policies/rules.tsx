/** The rules that stand in the files on disk, each a way to its line. */
import { Badge, StateBadge } from "../../ui/badge.tsx";
import { Untrusted } from "../../ui/text.tsx";
import type { Policies } from "./read.ts";

export type Rule = Policies["rules"][number];

export interface RulesProps {
  readonly rules: readonly Rule[];
  readonly onJump: (rule: Rule) => void;
}

const MOST = 500;

export function Rules({ rules, onJump }: RulesProps) {
  if (rules.length === 0) return <p className="text-muted">No rule is in the files on disk, or they do not load.</p>;
  return (
    <>
      <p className="mb-2 text-muted">
        {rules.length.toLocaleString()} {rules.length === 1 ? "rule" : "rules"} on disk; drafts are not among them.
      </p>
      <ul aria-label="Rules" className="-mx-4 divide-y divide-line border-y border-line">
        {rules.slice(0, MOST).map((rule) => (
          <li key={`${rule.file} ${rule.id}`}>
            <button
              type="button"
              className="flex w-full flex-wrap items-baseline gap-x-3 gap-y-0.5 px-4 py-2 text-left hover:bg-sunken focus-visible:-outline-offset-2"
              onClick={() => onJump(rule)}
            >
              <span className="font-mono font-medium break-all">
                <Untrusted>{rule.id}</Untrusted>
              </span>
              <StateBadge state={rule.then} />
              {rule.mode === "observe" ? <Badge>observed only</Badge> : null}
              <span className="ml-auto text-sm text-muted">
                line {rule.line}
                {rule.tools.length === 0 ? ", every tool" : null}
              </span>
              {rule.tools.length === 0 ? null : (
                <span className="w-full truncate font-mono text-sm text-muted">
                  <Untrusted>{rule.tools.join(", ")}</Untrusted>
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
      {rules.length > MOST ? <p className="mt-2 text-muted">and {rules.length - MOST} more in the text</p> : null}
    </>
  );
}
