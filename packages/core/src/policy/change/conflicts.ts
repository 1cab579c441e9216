/** Two rules that write one argument must never both match: their order would decide, and order decides nothing here. */
import { pathsMeet } from "../argument-path.ts";
import { constantPath, type Expr } from "../cel/ast.ts";
import { globsMeet } from "../glob.ts";
import { type Issues, quote } from "../issue.ts";
import type { ChangeModel, RuleModel, RuleScope } from "../model.ts";

type Write = { readonly rule: RuleModel; readonly change: ChangeModel };

/** Only `set` writes what it likes. Clamps meet at the tightest, and dropping or redacting twice is once. */
export function checkChangeConflicts(rules: readonly RuleModel[], issues: Issues): void {
  const writes = rules.flatMap((rule) =>
    rule.changes.filter(({ kind }) => kind === "set").map((change) => ({ rule, change })),
  );
  // By the first step of the path: only writes below the same argument can meet.
  for (const group of groups(writes).values()) {
    for (const [index, later] of group.entries()) {
      const twin = group.slice(0, index).find((earlier) => meet(earlier, later));
      if (twin === undefined) continue;
      const { span } = twin.change;
      const who = twin.rule === later.rule ? "the same rule" : `rule ${quote(twin.rule.id)}`;
      const message = `${quote(later.change.path.join("."))} is also set by ${who} at ${span.file}:${span.line}:${span.column}, and both may match; tell them apart by scope or by \`==\` on one argument`;
      issues.error("conflict", later.change.span, message, { rule: later.rule.id });
    }
  }
}

function groups(writes: readonly Write[]): ReadonlyMap<string, readonly Write[]> {
  const found = new Map<string, Write[]>();
  for (const write of writes) {
    const [first = ""] = write.change.path;
    const group = found.get(first);
    if (group === undefined) found.set(first, [write]);
    else group.push(write);
  }
  return found;
}

function meet(a: Write, b: Write): boolean {
  if (!pathsMeet(a.change.path, b.change.path)) return false;
  return a.rule === b.rule || !(disjointScopes(a.rule.scope, b.rule.scope) || disjointConditions(a.rule, b.rule));
}

/** Surely no call is in both. */
function disjointScopes(a: RuleScope, b: RuleScope): boolean {
  return (
    apart(a.tools, b.tools, (x, y) => !globsMeet(x, y)) ||
    apart(a.agents, b.agents, (x, y) => !globsMeet(x, y)) ||
    apart(a.environments, b.environments, (x, y) => x !== y) ||
    apart(a.kinds, b.kinds, (x, y) => x !== y)
  );
}

function apart(
  a: readonly string[] | null,
  b: readonly string[] | null,
  differ: (x: string, y: string) => boolean,
): boolean {
  return a !== null && b !== null && a.every((x) => b.every((y) => differ(x, y)));
}

/** Both need one argument to equal a constant, and the constants differ. */
function disjointConditions(a: RuleModel, b: RuleModel): boolean {
  const some = equalities(a.condition?.expr);
  return [...equalities(b.condition?.expr)].some(([path, value]) => some.has(path) && some.get(path) !== value);
}

function equalities(expr: Expr | undefined): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  const parts = expr === undefined ? [] : expr.kind === "and" ? expr.operands : [expr];
  for (const part of parts) {
    if (part.kind !== "binary" || part.operator !== "==") continue;
    const [left, right] = part.left.kind === "literal" ? [part.right, part.left] : [part.left, part.right];
    const path = constantPath(left);
    if (path?.[0] !== "args" || right.kind !== "literal") continue;
    // Texts and whole numbers are equal exactly where `===` says so.
    if (typeof right.value === "string" || Number.isSafeInteger(right.value))
      found.set(JSON.stringify(path), right.value);
  }
  return found;
}
