/** Which tables of the runtime a policy set reads: what another runtime may decide otherwise. */
import type { RuntimeTable } from "../value/stamp.ts";
import { type Call, childrenOf, type Expr } from "./cel/ast.ts";
import { ZONED } from "./cel/functions/calendar.ts";
import { expressionsOf } from "./limits/limits-json.ts";
import type { PolicyModel } from "./model.ts";

/** They look at classes, cases and forms of characters, or read names of hosts. */
const CHARACTERS: ReadonlySet<string> = new Set([
  "domain",
  "glob",
  "hasInvisible",
  "host",
  "inDomain",
  "links",
  "shell",
  "sql",
  "within",
]);

/** Sorted; empty for a set that any runtime decides alike. */
export function runtimeTables(model: PolicyModel): readonly RuntimeTable[] {
  const found = new Set<RuntimeTable>();
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    const table = expr.kind === "call" ? tableOf(expr) : undefined;
    if (table !== undefined) found.add(table);
    for (const child of childrenOf(expr)) visit(child);
  };
  for (const expr of expressionsIn(model)) {
    if (!seen.has(expr)) visit(expr);
    seen.add(expr);
  }
  if (model.budgets.some(({ window }) => window.kind === "calendar" && isNamedZone(window.zone))) found.add("calendar");
  if (patternsIn(model).some(readsCharacters)) found.add("unicode");
  return [...found].sort();
}

function* expressionsIn(model: PolicyModel): Iterable<Expr> {
  for (const { condition, changes } of model.rules) {
    if (condition !== null) yield condition.expr;
    for (const change of changes) if (change.kind === "set") yield change.to.expr;
  }
  for (const { binds } of model.tools) for (const { value } of binds) yield value.expr;
  for (const budget of model.budgets) for (const { expr } of expressionsOf(budget)) yield expr;
}

function patternsIn(model: PolicyModel): readonly string[] {
  const changes = model.rules.flatMap((rule) => rule.changes);
  return changes.flatMap((change) => (change.kind === "redact" && change.match !== null ? [change.match.text] : []));
}

function tableOf({ name, target, args }: Call): RuntimeTable | undefined {
  if (CHARACTERS.has(name)) return "unicode";
  const last = args.at(-1);
  if (last === undefined) return undefined;
  const text = last.kind === "literal" && typeof last.value === "string" ? last.value : undefined;
  if (name === "matches") return text === undefined || readsCharacters(text) ? "unicode" : undefined;
  const zoned = ZONED.has(name) && args.length > (target === null ? 1 : 0);
  return zoned && (text === undefined || isNamedZone(text)) ? "calendar" : undefined;
}

/** `\pL` and `\p{…}`, and letters in either case. */
function readsCharacters(pattern: string): boolean {
  return /\\[pP]|\(\?[a-zA-Z]*i/.test(pattern);
}

/** `UTC` and fixed distances from it are the same everywhere. */
function isNamedZone(zone: string): boolean {
  return !/^(?:UTC|Z|[+-]?\d{2}:\d{2})$/.test(zone);
}
