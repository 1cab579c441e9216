/**
 * An independent reading of how verdicts combine for tests: sets and sentences instead of flags. It shares no code with
 * `combine.ts`.
 */
export interface NaiveRule {
  readonly id: string;
  readonly verdict: "allow" | "deny" | "pause";
  readonly otherwise: "pause" | "deny" | null;
  readonly approval: boolean;
  readonly condition: "true" | "false" | "error";
}

export function naiveVerdict(rules: readonly NaiveRule[], unmatched: "allow" | "deny", environment: string) {
  const when =
    (...outcomes: string[]) =>
    (rule: NaiveRule) =>
      outcomes.includes(rule.condition);
  const allows = rules.filter((rule) => rule.verdict === "allow");
  const elses = allows.filter(when("false", "error"));
  const asking = allows.filter(when("true")).filter((rule) => rule.approval && rule.otherwise !== "pause");

  const denying = [
    ...rules.filter((rule) => rule.verdict === "deny").filter(when("true", "error")),
    ...elses.filter((rule) => rule.otherwise === "deny"),
  ];
  const pausing = [
    ...rules.filter((rule) => rule.verdict === "pause").filter(when("true", "error")),
    ...elses.filter((rule) => rule.otherwise === "pause"),
    ...asking,
  ];
  const permitting = [
    ...allows.filter(when("true")),
    ...rules.filter((rule) => rule.verdict === "pause").filter(when("true")),
    ...elses.filter((rule) => rule.otherwise === "pause"),
  ];
  const freely = unmatched === "allow" && !rules.some(when("error"));
  const name = [`unmatched:${environment}`];
  const ids = (of: readonly NaiveRule[]) => of.map((rule) => rule.id).sort();

  if (denying.length > 0) return { verdict: "deny", by: ids(denying) };
  if (permitting.length === 0 && !freely) return { verdict: "deny", by: name };
  if (pausing.length > 0) return { verdict: "pause", by: ids(pausing) };
  return { verdict: "allow", by: permitting.length > 0 ? ids(permitting) : name };
}

/** One rule with what its condition is before and after a change, and whether it changes anything when it matches. */
export interface NaiveChangingRule extends NaiveRule {
  readonly after: "true" | "false" | "error";
  readonly changes: boolean;
}

/** What is known of the tool: did the host give what it binds, do the arguments fit before and after the change. */
export interface NaiveTool {
  readonly bound: boolean;
  readonly fits: boolean;
  readonly fitsAfter: boolean;
}

/**
 * The order of work, sentence by sentence: bind, schema, rules, one round of changes, the rules again, the schema again.
 * `changed` says whether what would run differs from what was proposed.
 */
export function naiveOutcome(
  rules: readonly NaiveChangingRule[],
  tool: NaiveTool,
  unmatched: "allow" | "deny",
  environment: string,
) {
  if (!tool.bound) return { verdict: "deny", by: ["bind"], changed: false };
  if (!tool.fits) return { verdict: "deny", by: ["schema"], changed: false };
  const first = naiveVerdict(rules, unmatched, environment);
  if (first.verdict === "deny") return { ...first, changed: false };
  const changing = rules.some((rule) => rule.changes && rule.condition === "true");
  if (!changing) return { ...first, changed: false };
  if (!tool.fitsAfter) return { verdict: "deny", by: ["schema"], changed: false };

  const ids = (of: readonly NaiveChangingRule[]) => of.map((rule) => rule.id).sort();
  const kind = (verdict: string) => rules.filter((rule) => rule.verdict === verdict);
  const asks = (rule: NaiveChangingRule) => rule.approval && rule.otherwise !== "pause";
  const held = kind("allow").filter((rule) => rule.condition === "true");
  const never = kind("allow").filter((rule) => rule.condition !== "true");
  const fallen = held.filter((rule) => rule.after !== "true");
  const kept = held.filter((rule) => rule.after === "true");
  const matching = (rule: NaiveChangingRule) => [rule.condition, rule.after].some((one) => one !== "false");

  const denying = [...kind("deny").filter(matching), ...fallen.filter((rule) => rule.otherwise === "deny")];
  const pausing = [
    ...kind("pause").filter(matching),
    ...never.filter((rule) => rule.otherwise === "pause"),
    ...fallen.filter((rule) => rule.otherwise === "pause" || (asks(rule) && rule.otherwise === null)),
    ...kept.filter(asks),
  ];
  const permitted =
    kept.length > 0 ||
    kind("pause").some((rule) => rule.condition === "true" || rule.after === "true") ||
    [...never, ...fallen].some((rule) => rule.otherwise === "pause") ||
    (unmatched === "allow" && !rules.some((rule) => rule.condition === "error" || rule.after === "error"));

  if (denying.length > 0) return { verdict: "deny", by: ids(denying), changed: false };
  if (!permitted) return { verdict: "deny", by: [`unmatched:${environment}`], changed: false };
  if (pausing.length > 0) return { verdict: "pause", by: ids(pausing), changed: true };
  return { verdict: "allow", by: kept.length > 0 ? ids(kept) : [`unmatched:${environment}`], changed: true };
}
