/**
 * Text that others wrote, made safe to show to a person who decides by it: agents and models choose tools and arguments.
 * Invisible and direction-changing characters stand as their escapes, and nothing is left out (traps.md, 27).
 */
import {
  type AmountAt,
  type ApprovalRecord,
  amountsOf,
  argumentsOf,
  type Json,
  type Leaf,
  leavesOf,
  printable,
  printableJson,
} from "@saferun/core";

export { printable, short } from "@saferun/core";

/** `path: value`, one line each, all of them: what a rule says to show first, then destinations and amounts, then the rest. */
export function argumentLines(approval: ApprovalRecord): readonly string[] {
  const first = approval.reasons.flatMap(({ approval: terms }) => terms.show);
  const rank = ({ path }: Leaf): number => {
    const shown = first.findIndex(
      (start) => path === start || path.startsWith(`${start}.`) || path.startsWith(`${start}[`),
    );
    if (shown !== -1) return shown;
    return first.length + (DESTINATION.test(path) ? 0 : 1);
  };
  const args = argumentsOf(approval);
  const amountAt = amountsOf(approval, args);
  const ordered = leavesOf(args)
    .map((leaf) => ({ leaf, rank: rank(leaf) }))
    .sort((one, other) => one.rank - other.rank);
  return ordered.map(({ leaf }) => lineOf(leaf, amountAt));
}

/** Old and new line of each value that an approver changed. */
export function changeLines(approval: ApprovalRecord): readonly string[] {
  const { decision, edit, bytes } = approval;
  const latest = decision === null ? edit?.bytes : decision.edited ? decision.bytes : undefined;
  if (latest === undefined) return [];
  const before = JSON.parse(bytes) as Json;
  const after = JSON.parse(latest) as Json;
  return [...onlyIn(approval, before, after, "-"), ...onlyIn(approval, after, before, "+")];
}

function onlyIn(approval: ApprovalRecord, value: Json, other: Json, sign: string): string[] {
  const amountAt = amountsOf(approval, value);
  const others = new Map(leavesOf(other).map((leaf) => [leaf.path, JSON.stringify(leaf.value)]));
  return leavesOf(value)
    .filter((leaf) => others.get(leaf.path) !== JSON.stringify(leaf.value))
    .map((leaf) => `${sign} ${lineOf(leaf, amountAt)}`);
}

/** Names under which tools commonly say where something goes, or how much of it. They order, they hide nothing. */
const DESTINATION =
  /(?:^|[._[])(?:to|cc|bcc|recipients?|e?mails?|address(?:es)?|phone|accounts?|iban|payee|beneficiary|customer|user|tenant|url|uri|host|domain|endpoint|webhook|path|file|command|cmd|sql|query|channel|amount|total|currency)(?:_?ids?)?(?:$|[.[])/i;

/** Money as money, and beside it what runs. */
function lineOf({ path, value }: Leaf, amountAt: AmountAt): string {
  const raw = printable(JSON.stringify(value));
  const amount = amountAt(path, value);
  return `${path === "" ? "(no arguments)" : printable(path)}: ${amount === undefined ? raw : `${amount} (${raw})`}`;
}

/** JSON that can be edited and sent back: the same value, every character of it visible. */
export function jsonText(value: Json): string {
  return printableJson(JSON.stringify(value, null, 2));
}
