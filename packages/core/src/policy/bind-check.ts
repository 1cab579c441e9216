/** `bind:` at load: arguments that the host decides, from what the host says alone. */
import { argumentPath, pathsMeet } from "./argument-path.ts";
import { type Issues, quote } from "./issue.ts";
import type { BindModel, SchemaModel } from "./model.ts";
import { celTypeOf, schemaAt } from "./schema/cel-type.ts";
import type { Entry, Located } from "./shape.ts";
import { checkValue, type ExpressionScope, mayBe, namesIn } from "./value-expression.ts";

/** What a model, or the moment, has a hand in. */
const NOT_FROM_THE_HOST = ["args", "call", "now"];

export function checkBinds(
  entries: readonly Entry<Located>[],
  scope: ExpressionScope,
  issues: Issues,
): readonly BindModel[] {
  const binds: BindModel[] = [];
  for (const { key, span, value } of entries) {
    const path = argumentPath(key);
    if (path === null) {
      issues.error("bad-name", span, `${quote(key)} is no argument's path`);
      continue;
    }
    const expression = checkValue(value, scope, issues, {});
    if (expression === null) continue;
    const names = namesIn(expression.expr);
    const foreign = NOT_FROM_THE_HOST.find((name) => names.has(name));
    if (foreign !== undefined) {
      const advice = "a bound argument comes from `context`, `principal`, `agent`, `env` or `run` alone";
      issues.error("bad-value", value.span, `${quote(value.value)} reads \`${foreign}\`; ${advice}`);
      continue;
    }
    const twin = binds.find((other) => pathsMeet(other.path, path));
    if (twin !== undefined) {
      issues.error("conflict", span, `${quote(key)} and ${quote(twin.path.join("."))} are bound both; keep one`);
    }
    binds.push({ path, span, value: expression });
  }
  return binds;
}

/** Against the schema of the tool itself: only what surely never fits. */
export function checkBindTypes(tool: string, binds: readonly BindModel[], model: SchemaModel, issues: Issues): void {
  for (const { path, span, value } of binds) {
    const at = schemaAt(model.schema, path);
    if (at === null) {
      if (model.args.kind === "object" && !model.args.open && path.length === 1) {
        issues.error("unknown-arg", span, `${quote(tool)} has no argument ${quote(path.join("."))}`);
      }
      continue;
    }
    const expected = celTypeOf(at);
    if (!mayBe(expected, value.type)) {
      const message = `${quote(path.join("."))} is of type ${expected.kind}, but ${quote(value.text)} gives a ${value.type.kind}`;
      issues.error("wrong-type", span, message);
    }
  }
}
