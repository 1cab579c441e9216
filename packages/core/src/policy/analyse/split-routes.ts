/** Calls that two rules pause whose routes have no role in common: whoever answers for one cannot answer for the other. */
import type { RuleModel } from "../model.ts";
import { type Analysis, conditionsOf, type Finding, named } from "./findings.ts";
import { ALWAYS, TRUE } from "./region.ts";
import type { ExampleCall } from "./trial.ts";

/** Neighbours of one rule, and pairs of rules for one pair of routes, that are looked at. */
const MOST_NEIGHBOURS = 200;
const MOST_TRIES = 20;

export function splitRoutes(analysis: Analysis): readonly Finding[] {
  const found: Finding[] = [];
  const tries = new Map<string, number>();
  for (const rule of analysis.model.rules) {
    const setting = rule.approval === null ? undefined : analysis.search.settingOf(rule);
    if (setting === undefined) continue;
    for (const other of analysis.index.of(setting.tool).slice(0, MOST_NEIGHBOURS)) {
      const pair = pairOf(rule, other);
      const tried = pair === undefined ? MOST_TRIES : (tries.get(pair) ?? 0);
      if (pair === undefined || tried >= MOST_TRIES) continue;
      const finding = bothAsk(analysis, rule, other);
      // Said once for two routes.
      tries.set(pair, finding === undefined ? tried + 1 : MOST_TRIES);
      if (finding !== undefined) found.push(finding);
    }
  }
  return found;
}

/** Names the two routes; undefined where somebody may answer both. */
function pairOf({ approval: one }: RuleModel, { approval: other }: RuleModel): string | undefined {
  if (one === null || other === null || one.route === other.route) return undefined;
  if (one.roles.some((role) => other.roles.includes(role))) return undefined;
  return JSON.stringify([one.route, other.route].sort());
}

function bothAsk(analysis: Analysis, rule: RuleModel, other: RuleModel): Finding | undefined {
  const setting = analysis.search.settingOf(rule);
  const regions = analysis.claims.scoped(rule, TRUE) ?? ALWAYS;
  if (setting === undefined) return undefined;
  let example: ExampleCall | undefined;
  analysis.search.find(setting, regions, conditionsOf(rule, other), (decision, call) => {
    const asks = (id: string): boolean => decision.pauses.some((pause) => pause.id === id);
    if (decision.verdict !== "pause" || !asks(rule.id) || !asks(other.id)) return false;
    example = call;
    return true;
  });
  if (example === undefined) return undefined;
  const routes = `\`${rule.approval?.route}\` and \`${other.approval?.route}\``;
  const message = `${named(rule)} and ${named(other)} ask about one call, and no role may answer for both of their routes ${routes}: it needs two people, or a role that both name`;
  return { code: "split-routes", span: rule.span, rule, message, example };
}
