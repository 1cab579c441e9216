/** What will run, all of it: what rules want shown first and large, the rest below, each value once. */
import { type AmountAt, type Json, memberPath } from "@saferun/core";
import { Difference } from "../../ui/difference.tsx";
import { JsonTree, sizeText } from "../../ui/json-tree.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { valueAt } from "../../ui/value-at.ts";
import { words } from "../../ui/words.ts";
import { type Approval, amountsIn, argumentsOf, proposedOf } from "./approval.ts";
import { Part } from "./part.tsx";

export function CardArguments({ approval, open }: { readonly approval: Approval; readonly open: boolean }) {
  const args = argumentsOf(approval);
  const facts = factsOf(approval, args);
  const rest = withoutFacts(args, facts);
  const amountAt = amountsIn(approval)(args);
  const marked = new Set(open ? approval.editable_paths : []);
  return (
    <Part title={open ? "What will run" : "What was asked about"}>
      {facts.length === 0 ? null : (
        <dl className="mb-3 flex flex-wrap gap-x-8 gap-y-2">
          {facts.map(({ path, value }) => (
            <Fact key={path} path={path} value={value} amountAt={amountAt} mayBeEdited={marked.has(path)} />
          ))}
        </dl>
      )}
      {rest === null ? null : <JsonTree value={rest} marked={marked} amountAt={amountAt} />}
      {approval.edit === null || !open ? null : (
        <div className="mt-3">
          <p className="mb-1 font-medium">
            Edited by <Untrusted>{approval.edit.by}</Untrusted>
          </p>
          <Difference before={proposedOf(approval)} after={args} amountsIn={amountsIn(approval)} />
        </div>
      )}
    </Part>
  );
}

/** Of a list in large letters: the rest is one press away. */
const FIRST = 3;

interface Fact {
  readonly path: string;
  readonly value: Json;
}

interface FactProps extends Fact {
  readonly amountAt: AmountAt;
  readonly mayBeEdited: boolean;
}

function Fact({ path, value, amountAt, mayBeEdited }: FactProps) {
  return (
    <div className="min-w-0">
      <dt className="text-sm text-muted">
        <Untrusted>{path}</Untrusted>
        {sizeText(value)}
      </dt>
      <dd
        className={words(
          "tabular-nums wrap-anywhere",
          isShort(value) && "text-xl font-semibold",
          mayBeEdited && "rounded bg-pause-soft px-1",
        )}
      >
        <JsonTree value={value} path={path} amountAt={amountAt} first={FIRST} />
      </dd>
    </div>
  );
}

const SHORT = 40;

/** Large letters are for what is read at a glance. */
function isShort(value: Json): boolean {
  return (typeof value !== "object" || value === null) && String(value).length <= SHORT;
}

/** What the rules name, and these arguments have; each once. */
function factsOf({ reasons }: Approval, args: Json): readonly Fact[] {
  const paths = new Set(reasons.flatMap(({ show }) => show));
  return [...paths].flatMap((path) => {
    const value = valueAt(args, path);
    return value === undefined ? [] : [{ path, value: value as Json }];
  });
}

/** Null: nothing is left. What is shown in part only stays whole below. */
function withoutFacts(args: Json, facts: readonly Fact[]): Json | null {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return args;
  const shown = new Set(facts.map(({ path }) => path));
  const rest = Object.entries(args).filter(([key]) => !shown.has(memberPath("", key)));
  return rest.length === 0 && shown.size > 0 ? null : Object.fromEntries(rest);
}
