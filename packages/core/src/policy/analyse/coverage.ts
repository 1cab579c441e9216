/** Scopes that miss something, or nothing: `wide-scope`, `narrow-deny`, `pause-alone`, `unruled-tool`, `any-tool`. */

import { globMatches, isGlob } from "../glob.ts";
import { quote } from "../issue.ts";
import type { RuleModel, RuleScope } from "../model.ts";
import { toolInScope } from "../scope.ts";
import { type Analysis, conditionsOf, type Finding, named, pathText } from "./findings.ts";
import { mayRunUnmatched } from "./loose-rules.ts";
import { ALWAYS, ERROR, FALSE, product, TRUE } from "./region.ts";
import { exactTools, nameFor } from "./scope.ts";
import type { Setting } from "./search.ts";
import { type ExampleCall, matchOf, verdictOf } from "./trial.ts";

export function coverage(analysis: Analysis): readonly Finding[] {
  const { model } = analysis;
  const found: Finding[] = [...unruled(analysis)];
  for (const rule of model.rules) {
    if (rule.observe) continue;
    if (rule.verdict === "allow") {
      found.push(...anyTool(analysis, rule));
      continue;
    }
    if (rule.verdict === "pause") found.push(...pauseAlone(analysis, rule));
    found.push(...wideScope(analysis, rule));
    if (rule.verdict === "deny") found.push(...narrowDeny(analysis, rule));
  }
  return found;
}

/** A declared tool that no rule speaks of and no environment lets run. */
function unruled(analysis: Analysis): readonly Finding[] {
  const { model, index, search } = analysis;
  const env = [...model.environments.keys()][0];
  if (env === undefined) return [];
  return model.tools.flatMap(({ name, span }): readonly Finding[] => {
    if (isGlob(name) || index.of(name).length > 0 || mayRunUnmatched(analysis, name)) return [];
    const setting = { tool: name, env, agent: "agent" };
    const example = search.find(setting, ALWAYS, [], (decision) => verdictOf(decision) === "deny");
    const message = `no rule speaks of the tool ${quote(name)}, so that it never runs; write one, or remove the tool`;
    return example === undefined ? [] : [{ code: "unruled-tool", span, rule: null, message, example }];
  });
}

/** What an agent may be given tomorrow runs by it, where nothing would without a rule. */
function anyTool(analysis: Analysis, rule: RuleModel): readonly Finding[] {
  const { model, tools, search } = analysis;
  if (rule.condition !== null || rule.asks) return [];
  const facts = tools.facts(nameFor("*"));
  if (!toolInScope(rule.scope, facts)) return [];
  const stopping = [...model.environments].flatMap(([name, { observe, unmatched }]) =>
    !observe && unmatched[facts.kind] === "deny" && rule.scope.environments?.includes(name) !== false ? [name] : [],
  );
  for (const env of stopping) {
    const setting = search.settingOf({ scope: { ...rule.scope, environments: [env] } }, facts.name);
    const example =
      setting &&
      search.find(
        setting,
        ALWAYS,
        [],
        (decision) => verdictOf(decision) === "allow" && matchOf(decision, rule.id) === "true",
      );
    if (example === undefined) continue;
    const message = `this rule allows every tool with any arguments in ${quote(env)}, also one that nobody has declared; name the tools, or their ${quote("kind")}`;
    return [{ code: "any-tool", span: rule.span, rule, message, example }];
  }
  return [];
}

/** The calls that the question passes over are denied, which is rarely what was meant. */
function pauseAlone(analysis: Analysis, rule: RuleModel): readonly Finding[] {
  const { claims, search, index } = analysis;
  const setting = search.settingOf(rule);
  if (rule.condition === null || setting === undefined || mayRunUnmatched(analysis, setting.tool)) return [];
  const permitting = index
    .of(setting.tool)
    .some((other) => other !== rule && !other.observe && other.verdict !== "deny");
  if (permitting) return [];
  const passed = analysis.undisturbed(claims.scoped(rule, FALSE) ?? ALWAYS, setting.tool, [rule]);
  const example = search.find(setting, passed, conditionsOf(rule), (decision) => {
    const unmatched = decision.by.every((id) => id.startsWith("unmatched:"));
    return (
      matchOf(decision, rule.id) === "false" &&
      verdictOf(decision) === "deny" &&
      (unmatched || decision.would !== undefined)
    );
  });
  const message =
    "calls that this rule does not ask about are denied, because no rule allows them; write the allow rule beside it";
  return example === undefined ? [] : [{ code: "pause-alone", span: rule.span, rule, message, example }];
}

/** A deny or pause over several tools fails, and so matches, on a call that another rule is made for. */
function wideScope(analysis: Analysis, rule: RuleModel): readonly Finding[] {
  const { claims, search, index, model, tools } = analysis;
  if (exactTools(rule.scope)?.length === 1) return [];
  const reads = rule.condition?.reads.filter(([root, field]) => root === "args" && field !== undefined) ?? [];
  if (reads.length === 0) return [];
  const names = new Set([
    ...(exactTools(rule.scope) ?? []),
    ...model.tools.map((tool) => nameFor(tool.name)),
    ...(exactTools(rule.scope) === null ? index.named() : []),
  ]);
  for (const name of names) {
    const facts = tools.facts(name);
    // Where the arguments are known, the check has said it.
    if (!toolInScope(rule.scope, facts) || facts.schema !== null) continue;
    for (const allow of index.of(name)) {
      if (allow.verdict !== "allow" || allow.observe || exactTools(allow.scope)?.includes(name) !== true) continue;
      const setting = settingOfBoth(analysis, rule, allow, name);
      const missing = reads.find((path) => !readsWithin(allow, path));
      const calls = claims.scoped(allow, TRUE);
      if (setting === undefined || missing === undefined || calls === null) continue;
      const failing = product([calls, claims.regions(rule, ERROR)]);
      const regions = analysis.undisturbed(failing ?? calls, name, [rule, allow]);
      const example = search.find(setting, regions, conditionsOf(allow), (decision, call) => {
        const absent = reads.some((path) => !readsWithin(allow, path) && !holds(call, path));
        return absent && matchOf(decision, rule.id) === "error" && matchOf(decision, allow.id) === "true";
      });
      if (example === undefined) continue;
      const message = `${pathText(missing)} is read for every tool in scope; where a call has none, as one that ${named(allow)} allows, this rule matches by error`;
      return [{ code: "wide-scope", span: rule.span, rule, message, example }];
    }
  }
  return [];
}

function readsWithin(rule: RuleModel, path: readonly string[]): boolean {
  return rule.condition?.reads.some((read) => read[1] === path[1] && read[0] === "args") === true;
}

function holds(call: ExampleCall, path: readonly string[]): boolean {
  return Object.hasOwn(call.args, path[1] ?? "");
}

/** Who may be meant by both rules. */
function settingOfBoth({ search }: Analysis, a: RuleModel, b: RuleModel, tool: string): Setting | undefined {
  const narrow = (one: readonly string[] | null, other: readonly string[] | null) => one ?? other;
  const scope = {
    ...a.scope,
    agents: narrow(a.scope.agents, b.scope.agents),
    environments: narrow(a.scope.environments, b.scope.environments),
    principals: narrow(a.scope.principals, b.scope.principals),
  };
  return search.settingOf({ ...a, scope }, tool);
}

/** An allow rule reaches further than the deny that is to guard it. */
function narrowDeny(analysis: Analysis, rule: RuleModel): readonly Finding[] {
  const { claims, search, index } = analysis;
  const args = rule.condition?.reads.filter(([root]) => root === "args") ?? [];
  const guarded = args.length === 0 ? null : claims.regions(rule, TRUE);
  const tool = guarded === null ? undefined : search.toolOf(rule.scope);
  if (guarded === null || tool === undefined) return [];
  for (const allow of index.of(tool)) {
    if (allow.verdict !== "allow" || allow.observe || !mayReachFurther(allow.scope, rule.scope)) continue;
    const both = product([guarded, claims.scoped(allow, TRUE)]) ?? [];
    if (both.length === 0) continue;
    for (const { setting, what } of beyond(analysis, rule, allow, tool)) {
      const same = setting.tool === tool || args.every((path) => readsWithin(allow, path));
      if (!same) continue;
      const regions = analysis.undisturbed(both, setting.tool, [rule, allow]);
      const example = search.find(setting, regions, conditionsOf(rule, allow), (decision, call) => {
        const inside = search.decide({ ...call, ...insideOf(search.settingOf(rule, tool)) });
        return verdictOf(decision) === "allow" && inside !== undefined && matchOf(inside, rule.id) === "true";
      });
      if (example === undefined) continue;
      const message = `this rule does not guard all that ${named(allow)} allows: the same arguments pass for ${what}`;
      return [{ code: "narrow-deny", span: rule.span, rule, message, example }];
    }
  }
  return [];
}

/** Cheap: false where the allow rule surely speaks of nothing beyond. */
function mayReachFurther(allow: RuleScope, deny: RuleScope): boolean {
  return deny.agents !== null || deny.principals !== null || exactTools(allow)?.length !== 1;
}

function insideOf(setting: Setting | undefined): Partial<Setting> {
  return setting ?? {};
}

/** Tools, agents and principals that the allow rule speaks of and the deny rule does not. */
function beyond(
  { search, tools, index, model }: Analysis,
  deny: RuleModel,
  allow: RuleModel,
  tool: string,
): readonly { readonly setting: Setting; readonly what: string }[] {
  const found: { setting: Setting; what: string }[] = [];
  const inside = search.settingOf(deny, tool);
  const allowed = search.settingOf(allow, tool);
  if (inside === undefined || allowed === undefined) return [];
  const base: Setting = { ...allowed, env: inside.env };
  const names = exactTools(allow.scope) ?? [...model.tools.map(({ name }) => nameFor(name)), ...index.named()];
  const sibling = names.find(
    (name) => toolInScope(allow.scope, tools.facts(name)) && !toolInScope(deny.scope, tools.facts(name)),
  );
  if (sibling !== undefined) {
    found.push({ setting: { ...base, tool: sibling, agent: inside.agent }, what: `the tool ${quote(sibling)}` });
  }
  const agent = otherName(deny.scope.agents, allow.scope.agents, "another_agent");
  if (agent !== undefined) found.push({ setting: { ...base, agent }, what: `the agent ${quote(agent)}` });
  if (deny.scope.principals !== null && allow.scope.principals === null) {
    const { principal: _anybody, ...nobody } = { ...base, agent: inside.agent };
    found.push({ setting: nobody, what: "other principals" });
  }
  return found;
}

function otherName(
  narrow: readonly string[] | null,
  wide: readonly string[] | null,
  unnamed: string,
): string | undefined {
  if (narrow === null) return undefined;
  const names = (wide ?? ["*"]).map((pattern) => (pattern === "*" ? unnamed : nameFor(pattern)));
  return names.find((name) => !narrow.some((pattern) => globMatches(pattern, name)));
}
