/** The truth table of verdicts, made by the engine itself. `vitest run policy/verdicts -u` writes it anew. */
import { expect, it } from "vitest";
import { combine, type Matched, type RuleEffect, sayOf } from "./combine.ts";

const HEAD = `# Verdicts

What the rules of a call add up to, made by the engine itself: it is asked each case. Why it is so stands in the [guide](policies.md).

## One rule

What a rule says, by what its condition came to. *Permits* means that an allow, or a person, may let the call through by it; a rule that only *restricts* turns an allow into a pause and never a denial into one.

| rule | condition true | false | error |
| --- | --- | --- | --- |
`;

const MIDDLE = `
## Several rules

Every set of two rules: the first in the rows, the second in the columns, each with its condition true (✓), false (✗) or in error (!). The order of rules, and of files, never matters. Where nothing permits a call, \`unmatched\` decides; the table is for \`unmatched: deny\`.

`;

const AFTER = `
## Where no rule permits the call

| what the rules say | \`unmatched: deny\` | \`unmatched: allow\` |
| --- | --- | --- |
`;

const RULES: Readonly<Record<string, RuleEffect>> = {
  "`allow`": { verdict: "allow", otherwise: null, asks: false },
  "`allow`, `else: pause`": { verdict: "allow", otherwise: "pause", asks: false },
  "`allow`, `else: deny`": { verdict: "allow", otherwise: "deny", asks: false },
  "`pause`": { verdict: "pause", otherwise: null, asks: false },
  "`deny`": { verdict: "deny", otherwise: null, asks: false },
};
const CASES: Readonly<Record<Matched, string>> = { true: "✓", false: "✗", error: "!" };
const MATCHED = Object.keys(CASES) as Matched[];

function said(rule: RuleEffect, matched: Matched): string {
  const { verdict, permits } = sayOf(rule, matched);
  if (verdict === null) return "nothing";
  return verdict === "pause" ? `pause, ${permits ? "permits" : "restricts"}` : verdict;
}

function verdictOf(rules: readonly (readonly [RuleEffect, Matched])[], allows: boolean): string {
  const voices = rules.map(([rule, matched], index) => ({ id: String(index), matched, say: sayOf(rule, matched) }));
  return combine(voices, { id: "unmatched", allows }).verdict;
}

function alone(): string {
  const rows = Object.entries(RULES).map(([name, rule]) => [name, ...MATCHED.map((matched) => said(rule, matched))]);
  return rows.map((row) => `| ${row.join(" | ")} |\n`).join("");
}

function pairs(): string {
  const cases = Object.entries(RULES).flatMap(([name, rule]) =>
    MATCHED.map((matched) => ({ name: `${name} ${CASES[matched]}`, rule, matched })),
  );
  const head = `| | ${cases.map(({ name }) => name).join(" | ")} |\n|${" --- |".repeat(cases.length + 1)}\n`;
  const rows = cases.map((first) => {
    const cells = cases.map((second) =>
      verdictOf(
        [
          [first.rule, first.matched],
          [second.rule, second.matched],
        ],
        false,
      ),
    );
    return `| ${[first.name, ...cells].join(" | ")} |\n`;
  });
  return head + rows.join("");
}

function unpermitted(): string {
  const rows: [string, (readonly [RuleEffect, Matched])[]][] = [["there is no rule for it", []]];
  for (const [name, rule] of Object.entries(RULES)) {
    for (const matched of MATCHED) {
      const { permits } = sayOf(rule, matched);
      if (!permits) rows.push([`${name}, condition ${matched === "error" ? "in error" : matched}`, [[rule, matched]]]);
    }
  }
  return rows.map(([name, rules]) => `| ${name} | ${verdictOf(rules, false)} | ${verdictOf(rules, true)} |\n`).join("");
}

it("docs/verdicts.md agrees with what the engine answers", async () => {
  const page = HEAD + alone() + MIDDLE + pairs() + AFTER + unpermitted();
  await expect(page).toMatchFileSnapshot("../../../../docs/verdicts.md");
});
