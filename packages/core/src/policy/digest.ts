/** Digests of what decides: not of comments, titles, tests, or any order. */
import { toHex } from "../call.ts";
import type { ApprovalTerms } from "../decision.ts";
import type { Hash } from "../ports.ts";
import { canonicalJson, type Json } from "../value/json.ts";
import { parseCel, printCel } from "./cel/index.ts";
import { compareText } from "./issue.ts";
import { keepingJson, saysNothing } from "./keeping.ts";
import { budgetJson, detectorsJson, expressionsOf } from "./limits/limits-json.ts";
import type { BudgetModel } from "./limits/model.ts";
import type { ChangeModel, PolicyModel, RuleModel, RuleScope, ToolModel } from "./model.ts";
import { unitsJson } from "./units.ts";

const encoder = new TextEncoder();

/** `text`: canonical JSON. */
function sha256(domain: string, text: string, hash: Hash): string {
  return toHex(hash.sha256(encoder.encode(`${domain}\u0000${text}`)));
}

/** Canonical JSON of an object whose values are canonical JSON already. */
function objectOf(values: Readonly<Record<string, string>>): string {
  const keys = Object.keys(values).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${values[key]}`).join(",")}}`;
}

/** Each SHA-256, hex. */
export interface Revisions {
  /** Over everything in the set that decides. */
  readonly revision: string;
  /** Over what the files say: without the argument schemas that the agent's framework brings along. */
  readonly written: string;
}

export function revisionsOf(model: PolicyModel, hash: Hash): Revisions {
  const byName = <Item extends { readonly name: string }>(a: Item, b: Item) => compareText(a.name, b.name);
  const decides: Readonly<Record<string, unknown>> = {
    environments: [...model.environments.values()].sort(byName).map(({ name, unmatched, observe, record, seal }) => ({
      name,
      unmatched,
      observe,
      ...(record === "full" ? {} : { record }),
      ...(seal === null ? {} : { seal }),
    })),
    tools: model.tools.toSorted(byName).map(toolJson),
    framework: [...model.framework]
      .sort(([a], [b]) => compareText(a, b))
      // A validator is a function: that there is one is all that can be said of it.
      .map(([name, { schema, validator }]) => ({
        name,
        schema: schema?.source ?? null,
        validator: validator !== null,
      })),
    constants: pairs(model.constants),
    definitions: pairs(canonical(model.definitions)),
    context: pairs(model.context),
    budgets: model.budgets.toSorted((a, b) => compareText(a.id, b.id)).map(budgetJson),
    detectors: detectorsJson(model.detectors),
    approval: sortedTerms(model.approval),
  };
  const texts = Object.fromEntries(Object.entries(decides).map(([key, value]) => [key, canonicalJson(value)]));
  const rules = `[${model.rules
    .toSorted((a, b) => compareText(a.id, b.id))
    .map(ruleText)
    .join(",")}]`;
  const digest = (framework: object) => sha256("saferun/policy/v1", objectOf({ ...texts, ...framework, rules }), hash);
  const revision = digest({});
  return { revision, written: model.framework.size === 0 ? revision : digest({ framework: "[]" }) };
}

function toolJson({ name, kind, labels, aliases, schema, binds, traits, keeping, units }: ToolModel): unknown {
  const bound = binds.map(({ path, value }) => [path.join("."), printCel(value.expr)]);
  const unique = new Map(bound.map((pair) => [pair.join(" "), pair]));
  return {
    name,
    kind,
    labels,
    aliases,
    schema: schema?.source ?? null,
    binds: [...unique].sort(([a], [b]) => compareText(a, b)).map(([, pair]) => pair),
    traits,
    // Left out where nothing is said: what was in force before this could be said is the same revision.
    ...(saysNothing(keeping) ? {} : { keeping: keepingJson(keeping) }),
    ...(units.length === 0 ? {} : { units: unitsJson(units) }),
  };
}

function changeJson(change: ChangeModel): unknown {
  const { span: _span, path, ...rest } = change;
  const at = { ...rest, path: path.join(".") };
  if (change.kind === "set") return { ...at, to: printCel(change.to.expr) };
  return change.kind === "redact"
    ? { ...at, kinds: [...new Set(change.kinds)].sort(), match: change.match?.text ?? null }
    : at;
}

/** What conditions may refer to by name. */
type Named = Pick<PolicyModel, "constants" | "definitions">;

/** SHA-256, hex, over a rule and all that it refers to: a changed rule is another reason to ask. */
export function ruleDigest(rule: RuleModel, model: Named, hash: Hash): string {
  const written = rule.changes.flatMap((change) => (change.kind === "set" ? [change.to.text] : []));
  const texts = rule.condition === null ? written : [rule.condition.text, ...written];
  return sha256("saferun/rule/v1", objectOf({ rule: ruleText(rule), ...namedIn(texts, model) }), hash);
}

/** SHA-256, hex, over a budget and all that it refers to: a changed budget is another reason to ask. */
export function budgetDigest(budget: BudgetModel, model: Named, hash: Hash): string {
  const texts = expressionsOf(budget).map(({ text }) => text);
  const text = canonicalJson(budgetJson(budget));
  return sha256("saferun/budget/v1", objectOf({ budget: text, ...namedIn(texts, model) }), hash);
}

/** The constants and definitions that these texts refer to, as canonical JSON. */
function namedIn(texts: readonly string[], model: Named): { readonly constants: string; readonly definitions: string } {
  const names = new Set<string>();
  for (const text of texts) mentioned(text, model, names);
  const only = <Value extends Json>(all: ReadonlyMap<string, Value>) =>
    pairs(new Map([...all].filter(([name]) => names.has(name))));
  return {
    constants: canonicalJson(only(model.constants)),
    definitions: canonicalJson(only(canonical(model.definitions))),
  };
}

/** Spacing and needless parentheses decide nothing. */
function canonical(definitions: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(
    [...definitions].map(([name, text]) => {
      const parsed = parseCel(text);
      return [name, parsed.ok ? printCel(parsed.expr) : text];
    }),
  );
}

/** Names of constants and definitions that a text mentions, also through definitions. Too many is harmless. */
function mentioned(text: string, model: Named, names: Set<string>): void {
  for (const [word] of text.matchAll(/[A-Za-z_][A-Za-z0-9_]*/g)) {
    if (names.has(word)) continue;
    const definition = model.definitions.get(word);
    if (definition !== undefined || model.constants.has(word)) names.add(word);
    if (definition !== undefined) mentioned(definition, model, names);
  }
}

/** Canonical JSON of a rule, written key by key in their order: of ten thousand rules this is most of a revision. */
function ruleText(rule: RuleModel): string {
  const { id, scope, condition, verdict, otherwise, approval, asks, reason, fix, observe, changes } = rule;
  const asked = approval && sortedTerms(approval);
  // Their order never matters.
  const changed = changes.length === 0 ? [] : changes.map((change) => canonicalJson(changeJson(change))).sort();
  // One condition, however it is spaced and wherever it was written; its definitions stand in it.
  const when = condition && printCel(condition.expr);
  return (
    `{"approval":${canonicalJson(asked)},"asks":${asks},"changes":${canonicalJson(changed)},"fix":${textOf(fix)}` +
    `,"id":${textOf(id)},"observe":${observe},"otherwise":${textOf(otherwise)},"reason":${textOf(reason)}` +
    `,"scope":${scopeText(scope)}` +
    `,"verdict":${textOf(verdict)},"when":${textOf(when)}}`
  );
}

function sortedTerms(terms: ApprovalTerms): ApprovalTerms {
  return { ...terms, to: terms.to.toSorted(), roles: terms.roles.toSorted() };
}

function scopeText(scope: RuleScope): string {
  // Whole: a list that is missing here does not compile.
  const lists: Readonly<Record<keyof RuleScope, string>> = {
    agents: listOf(scope.agents),
    environments: listOf(scope.environments),
    kinds: listOf(scope.kinds),
    labels: listOf(scope.labels),
    principals: listOf(scope.principals),
    tools: listOf(scope.tools),
  };
  const { agents, environments, kinds, labels, principals, tools } = lists;
  return (
    `{"agents":${agents},"environments":${environments},"kinds":${kinds}` +
    `,"labels":${labels},"principals":${principals},"tools":${tools}}`
  );
}

function textOf(text: string | null): string {
  return text === null ? "null" : canonicalJson(text);
}

function listOf(list: readonly string[] | null): string {
  if (list === null) return "null";
  return list.length === 1 ? `[${textOf(list[0] ?? null)}]` : canonicalJson([...new Set(list)].sort());
}

function pairs<Value extends Json>(map: ReadonlyMap<string, Value>): readonly (readonly [string, Json])[] {
  return [...map].sort(([a], [b]) => compareText(a, b));
}
