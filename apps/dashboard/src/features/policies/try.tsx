/** The playground: what the texts above say of one call, and why; judged anew whenever they change. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { StateBadge } from "../../ui/badge.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted, UntrustedLines } from "../../ui/text.tsx";
import { words } from "../../ui/words.ts";
import type { Known } from "./editor/completion.ts";
import { type ExplainedRule, type Explanation, explanationOf } from "./explanation.ts";
import { type PolicyText, type TriedCall, tryCall } from "./read.ts";
import { TryForm } from "./try-form.tsx";

export interface TryProps {
  readonly texts: readonly PolicyText[];
  /** The texts load; where they do not, the list of problems says why. */
  readonly usable: boolean;
  readonly revision: string | null;
  readonly known: Known;
  readonly call: TriedCall | undefined;
  readonly onTry: (call: TriedCall) => void;
}

export function Try({ texts, usable, revision, known, call, onTry }: TryProps) {
  const tried = useQuery({
    queryKey: ["policy-try", revision, JSON.stringify(call)],
    queryFn: () => tryCall(texts, call ?? {}),
    enabled: call !== undefined && usable && revision !== null,
    placeholderData: keepPreviousData,
    retry: false,
  });
  return (
    <div className="space-y-5">
      <TryForm key={call === undefined ? "new" : "given"} call={call} known={known} onTry={onTry} />
      {call === undefined ? null : !usable ? (
        <p className="text-muted">The texts do not load: what they would say of it is not known.</p>
      ) : tried.error !== null ? (
        <Failure error={tried.error} />
      ) : tried.data === undefined ? (
        <Skeleton lines={2} />
      ) : (
        <Verdict explanation={explanationOf(tried.data.explanation)} />
      )}
    </div>
  );
}

function Verdict({ explanation }: { readonly explanation: Explanation }) {
  const { verdict, by, reason, fix, would, rules } = explanation;
  const spoke = rules.filter((rule) => rule.spoke);
  const missed = rules.filter((rule) => !rule.spoke);
  return (
    <section aria-label="Verdict" aria-live="polite" className="space-y-4">
      <div className="rounded-md bg-sunken px-4 py-3">
        <p className="flex flex-wrap items-center gap-2 text-lg font-semibold">
          <StateBadge state={verdict} />
          <code className="font-mono text-base break-all">
            <Untrusted>{by.join(", ")}</Untrusted>
          </code>
        </p>
        <p className="mt-1">
          <UntrustedLines>{reason}</UntrustedLines>
        </p>
        {fix === undefined ? null : (
          <p className="text-muted">
            instead: <UntrustedLines>{fix}</UntrustedLines>
          </p>
        )}
        {would === undefined ? null : (
          <p className="text-muted">
            enforced it would be {would.verdict}, by <Untrusted>{would.by.join(", ")}</Untrusted>
          </p>
        )}
      </div>
      <Rules title="Rules that spoke" rules={spoke} />
      <Rules title="Near misses: what was false in them" rules={missed} quiet />
    </section>
  );
}

const MOST = 20;

function Rules({
  title,
  rules,
  quiet,
}: {
  readonly title: string;
  readonly rules: readonly ExplainedRule[];
  readonly quiet?: true;
}) {
  if (rules.length === 0) return null;
  return (
    <div>
      <h2 className="mb-1 text-sm font-semibold text-muted">{title}</h2>
      <ul className="space-y-2">
        {rules.slice(0, MOST).map((rule) => (
          <li key={rule.rule} className={words("rounded-md border border-line px-3 py-2", quiet && "border-dashed")}>
            <p className="flex flex-wrap items-baseline gap-2">
              <span className="font-mono font-medium break-all">
                <Untrusted>{rule.rule}</Untrusted>
              </span>
              <StateBadge state={rule.then} />
              <span className="ml-auto text-sm text-muted">line {rule.line}</span>
            </p>
            {rule.because.map(({ text, value }) => (
              <p key={text} className="mt-1 font-mono text-sm break-words">
                <Untrusted>{text}</Untrusted>{" "}
                <span className="text-muted">
                  is <Untrusted>{JSON.stringify(value)}</Untrusted>
                </span>
              </p>
            ))}
            {rule.error === undefined ? null : (
              <p className="mt-1 text-deny">
                <UntrustedLines>{rule.error}</UntrustedLines>
              </p>
            )}
          </li>
        ))}
      </ul>
      {rules.length > MOST ? <p className="mt-1 text-muted">and {rules.length - MOST} more</p> : null}
    </div>
  );
}
