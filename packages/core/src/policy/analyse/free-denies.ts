/** Denials that another text walks around: `free-deny`. */
import { pathsMeet } from "../argument-path.ts";
import { quote } from "../issue.ts";
import type { RuleModel } from "../model.ts";
import { schemaAt } from "../schema/cel-type.ts";
import type { Schema } from "../schema/types.ts";
import { type Analysis, conditionsOf, type Finding, named, pathText } from "./findings.ts";
import { TRUE } from "./region.ts";
import { matchOf, verdictOf } from "./trial.ts";

type Path = readonly string[];

/**
 * A deny that rests on texts which the model is free to write (a note, a reason) and on nothing else. Only of tools whose owner
 * said which arguments count: where nobody did, nothing is known to be free. A number is what it is, however it is written.
 */
export function freeDenies(analysis: Analysis): readonly Finding[] {
  return analysis.model.rules.flatMap((rule) => found(analysis, rule) ?? []);
}

function found(analysis: Analysis, rule: RuleModel): Finding | undefined {
  const { claims, search, tools } = analysis;
  if (rule.verdict !== "deny" || rule.observe || rule.condition === null || rule.condition.opaque !== undefined) return;
  const setting = search.settingOf(rule);
  if (setting === undefined) return;
  const { name, binds, traits, schema } = tools.facts(setting.tool);
  const counted: readonly Path[] = [
    ...binds.map(({ path }) => path),
    ...[...(traits.identity ?? []), ...(traits.recipients ?? [])].map((path) => path.replaceAll("[]", "").split(".")),
  ];
  const reads = rule.condition.reads
    .filter((path) => path[0] === "args" && path.length > 1)
    .map((path) => path.slice(1));
  const [first] = reads;
  if (counted.length === 0 || first === undefined || reads.length < rule.condition.reads.length) return;
  if (!reads.every((path) => isText(schema?.schema, path))) return;
  if (reads.some((path) => counted.some((other) => pathsMeet(other, path)))) return;
  const regions = claims.scoped(rule, TRUE) ?? [];
  const example = search.find(setting, regions, conditionsOf(rule), (decision) => {
    return verdictOf(decision) === "deny" && matchOf(decision, rule.id) === "true";
  });
  if (example === undefined) return;
  const message = `${named(rule)} rests on ${pathText(["args", ...first])} alone, which the model is free to write otherwise; ask about what ${quote(name)} acts on (\`identity\`, \`recipients\`, \`bind\`) as well`;
  return { code: "free-deny", span: rule.span, rule, message, example };
}

function isText(schema: Schema | undefined, path: Path): boolean {
  const at = schema === undefined ? undefined : schemaAt(schema, path);
  return (
    typeof at === "object" &&
    at !== null &&
    at.types !== null &&
    at.allowed === null &&
    [...at.types].every((type) => type === "string")
  );
}
