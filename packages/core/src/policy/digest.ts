/** Digests of what decides: not of comments, titles, tests, or any order. */
import { toHex } from "../call.ts";
import { canonicalJson, type Json } from "../json.ts";
import type { Hash } from "../ports.ts";
import { parseCel, printCel } from "./cel/index.ts";
import { compareText } from "./issue.ts";
import type { ChangeModel, PolicyModel, RuleModel, ToolModel } from "./model.ts";

const encoder = new TextEncoder();

function sha256(domain: string, value: unknown, hash: Hash): string {
  return toHex(hash.sha256(encoder.encode(`${domain}\u0000${canonicalJson(value)}`)));
}

/** SHA-256, hex, over everything in the set that decides. */
export function revisionOf(model: PolicyModel, hash: Hash): string {
  const byName = <Item extends { readonly name: string }>(a: Item, b: Item) => compareText(a.name, b.name);
  return sha256(
    "saferun/policy/v1",
    {
      environments: [...model.environments.values()]
        .sort(byName)
        .map(({ name, unmatched, observe }) => ({ name, unmatched, observe })),
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
      rules: model.rules.toSorted((a, b) => compareText(a.id, b.id)).map(ruleJson),
    },
    hash,
  );
}

function toolJson({ name, kind, labels, aliases, schema, binds }: ToolModel): unknown {
  const bound = binds.map(({ path, value }) => [path.join("."), printCel(value.expr)]);
  const unique = new Map(bound.map((pair) => [pair.join(" "), pair]));
  return {
    name,
    kind,
    labels,
    aliases,
    schema: schema?.source ?? null,
    binds: [...unique].sort(([a], [b]) => compareText(a, b)).map(([, pair]) => pair),
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
  const names = new Set<string>();
  if (rule.condition !== null) mentioned(rule.condition.text, model, names);
  for (const change of rule.changes) if (change.kind === "set") mentioned(change.to.text, model, names);
  const only = <Value extends Json>(all: ReadonlyMap<string, Value>) =>
    pairs(new Map([...all].filter(([name]) => names.has(name))));
  return sha256(
    "saferun/rule/v1",
    { rule: ruleJson(rule), constants: only(model.constants), definitions: only(canonical(model.definitions)) },
    hash,
  );
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

function ruleJson(rule: RuleModel): unknown {
  const { id, scope, condition, verdict, otherwise, approval, asks, reason, fix, observe, changes } = rule;
  return {
    id,
    scope: Object.fromEntries(Object.entries(scope).map(([key, list]) => [key, sortedOrNull(list)])),
    // One condition, however it is spaced and wherever it was written; its definitions stand in it.
    when: condition === null ? null : printCel(condition.expr),
    verdict,
    otherwise,
    approval: approval === null ? null : { ...approval, to: approval.to.toSorted(), roles: approval.roles.toSorted() },
    asks,
    reason,
    fix,
    observe,
    // Their order never matters.
    changes: changes.map((change) => canonicalJson(changeJson(change))).sort(),
  };
}

function sortedOrNull(list: readonly string[] | null): readonly string[] | null {
  return list === null ? null : [...new Set(list)].sort();
}

function pairs<Value extends Json>(map: ReadonlyMap<string, Value>): readonly (readonly [string, Json])[] {
  return [...map].sort(([a], [b]) => compareText(a, b));
}
