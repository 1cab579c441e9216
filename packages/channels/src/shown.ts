/**
 * Text that others wrote, made safe to show to a person who decides by it: agents and models choose tools and arguments.
 * Invisible and direction-changing characters stand as their escapes, and nothing is left out (traps.md, 27).
 */
import { type ApprovalRecord, argumentsOf, changedPaths, type Json, printable, printableJson } from "@saferun/core";

export { printable, short } from "@saferun/core";

export interface Leaf {
  /** `amount`, `to[0].mail`, `["odd key"].x`. */
  readonly path: string;
  readonly value: Json;
}

/** Every value of the arguments with its path, empty lists and maps included: together they are all of them. */
export function leavesOf(value: Json, path = ""): Leaf[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  const children = Array.isArray(value)
    ? (value as readonly Json[]).map((item, index): [string, Json] => [`${path}[${index}]`, item])
    : Object.entries(value).map(([key, item]): [string, Json] => [join(path, key), item]);
  return children.length === 0 ? [{ path, value }] : children.flatMap(([at, item]) => leavesOf(item, at));
}

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
  const leaves = leavesOf(argumentsOf(approval));
  const ordered = leaves.map((leaf) => ({ leaf, rank: rank(leaf) })).sort((one, other) => one.rank - other.rank);
  return ordered.map(({ leaf }) => lineOf(leaf));
}

/** Old and new line of each value that an approver changed. */
export function changeLines(approval: ApprovalRecord): readonly string[] {
  const { decision, edit, bytes } = approval;
  const latest = decision === null ? edit?.bytes : decision.edited ? decision.bytes : undefined;
  if (latest === undefined) return [];
  const before = JSON.parse(bytes) as Json;
  const after = JSON.parse(latest) as Json;
  const changed = new Set(changedPaths(before, after));
  const of = (sign: string, value: Json): string[] =>
    leavesOf(value)
      .filter((leaf) => [...changed].some((path) => covered(leaf.path, path)))
      .map((leaf) => `${sign} ${lineOf(leaf)}`);
  return [...of("-", before), ...of("+", after)];
}

/** Names under which tools commonly say where something goes, or how much of it. They order, they hide nothing. */
const DESTINATION =
  /(?:^|[._[])(?:to|cc|bcc|recipients?|e?mails?|address(?:es)?|phone|accounts?|iban|payee|beneficiary|customer|user|tenant|url|uri|host|domain|endpoint|webhook|path|file|command|cmd|sql|query|channel|amount|total|currency)(?:_?ids?)?(?:$|[.[])/i;

function covered(leaf: string, path: string): boolean {
  return path === "" || leaf === path || leaf.startsWith(`${path}.`) || leaf.startsWith(`${path}[`);
}

function lineOf({ path, value }: Leaf): string {
  return `${path === "" ? "(no arguments)" : path}: ${printable(JSON.stringify(value))}`;
}

/** A key that could be read as another path, or as a line of its own, stands in quotes. */
function join(path: string, key: string): string {
  if (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key)) return path === "" ? key : `${path}.${key}`;
  return `${path}[${printable(JSON.stringify(key))}]`;
}

/** JSON that can be edited and sent back: the same value, every character of it visible. */
export function jsonText(value: Json): string {
  return printableJson(JSON.stringify(value, null, 2));
}
