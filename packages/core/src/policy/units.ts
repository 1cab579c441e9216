/** `units:` of a tool at load: what its arguments count, for people. A word, or CEL that gives one of the registered ones. */
import { isKnownUnit, KNOWN_UNITS } from "../value/unit.ts";
import { printCel } from "./cel/index.ts";
import type { ArgumentChecker } from "./check-arguments.ts";
import type { ToolSource } from "./format.ts";
import { type Issues, quote } from "./issue.ts";
import type { ToolModel, UnitModel } from "./model.ts";
import { nearest } from "./nearest.ts";
import { hint } from "./read.ts";
import { schemaAt } from "./schema/cel-type.ts";
import type { Located } from "./shape.ts";
import type { ToolTable } from "./tool-table.ts";
import { checkValue, type ExpressionScope } from "./value-expression.ts";

const WORD = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function declaredUnits(
  tool: string,
  { units, span }: ToolSource,
  scope: ExpressionScope,
  issues: Issues,
): readonly UnitModel[] {
  if (units?.length === 0) issues.error("empty", span, `\`units\` of ${quote(tool)} is empty; remove it`);
  return (units ?? []).flatMap(({ key, span: at, value }): UnitModel[] => {
    const path = key.replace(/^args\./, "");
    if (/[$*]/.test(path)) {
      issues.error(
        "bad-name",
        at,
        `${quote(key)} is no single argument; name one such as \`amount\` or \`lines[].price\``,
      );
      return [];
    }
    const unit = WORD.test(value.value) ? wordOf(value, issues) : checkValue(value, scope, issues, {});
    return unit === null ? [] : [{ path, span: at, unit, source: value }];
  });
}

function wordOf(written: Located, issues: Issues): string | null {
  const { value, span } = written;
  if (isKnownUnit(value)) return value;
  const suggestion = nearest(value, KNOWN_UNITS);
  const advice = suggestion === undefined ? "; write one such as `usd_cents`, `eur` or `emails`" : hint(suggestion);
  issues.error(
    "unknown-unit",
    span,
    `${quote(value)} is no unit${advice}`,
    suggestion === undefined ? {} : { suggestion },
  );
  return null;
}

/** Against the schemas of the tools themselves: a path that they lack, an expression that reads what they lack. */
export function checkUnits(
  tools: readonly ToolModel[],
  table: ToolTable,
  argumentsOf: ArgumentChecker,
  issues: Issues,
): void {
  for (const { name, units } of tools) {
    const { schema } = table.facts(name);
    for (const { path, span, unit, source } of units) {
      const [first = ""] = path.split(/[.[]/);
      if (schema?.args.kind === "object" && !schema.args.open && schemaAt(schema.schema, [first]) === null)
        issues.error("unknown-arg", span, `${quote(name)} has no argument ${quote(first)}`);
      if (typeof unit === "string") continue;
      if (unit.type.kind !== "dyn" && unit.type.kind !== "string") {
        const message = `a unit cannot be a ${unit.type.kind}, which ${quote(source.value)} gives`;
        issues.error("wrong-type", source.span, message);
      }
      // Where it fails no unit is shown, so that what may be absent is no mistake, and a name that is unknown is one.
      const subject = { id: `tool:${name}`, verdict: "deny", scope: { ...ANYBODY, tools: [name] } } as const;
      argumentsOf.checkExpression(subject, unit, source, { kinds: ["string"], what: "a unit" });
    }
  }
}

const ANYBODY = { kinds: null, labels: null, agents: null, environments: null, principals: null } as const;

/** Entries of one tool add up; one path has one unit. */
export function checkUnitPairs(some: readonly UnitModel[], others: readonly UnitModel[], issues: Issues): void {
  for (const one of some) {
    const twin = others.find(({ path, unit }) => path === one.path && unitText(unit) !== unitText(one.unit));
    if (twin === undefined) continue;
    const { file, line, column } = one.span;
    issues.error("conflict", twin.span, `${quote(twin.path)} has another unit at ${file}:${line}:${column}; keep one`);
  }
}

/** By path, however it is spaced. */
export function unitsJson(units: readonly UnitModel[]): Readonly<Record<string, string>> {
  return Object.fromEntries(units.map(({ path, unit }) => [path, unitText(unit)]));
}

function unitText(unit: UnitModel["unit"]): string {
  return typeof unit === "string" ? unit : printCel(unit.expr);
}
