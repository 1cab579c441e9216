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
