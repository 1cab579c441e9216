import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeQuery, type KnownNames } from "./complete.ts";
import { parseQuery } from "./parse.ts";
import { SEARCH_FIELDS } from "./term.ts";

const KNOWN: KnownNames = {
  tool: ["stripe.refund", "mail.send", "odd tool (1)", 'a"b\\c*'],
  agent: ["support", "night refunds"],
  rule: ["refund.huge"],
};

/** What stands in the query after each option; `|` is the caret. */
function offered(marked: string): string[] {
  const caret = marked.indexOf("|");
  const query = marked.replace("|", "");
  const { from, to, options } = completeQuery(query, caret, KNOWN);
  return options.map(({ text }) => query.slice(0, from) + text + query.slice(to));
}

describe("completion", () => {
  it.each([
    ["ver|", ["verdict:"]],
    ["-ver|", ["-verdict:"]],
    ["(ver|", ["(verdict:"]],
    ["tool:x ver|dict", ["tool:x verdict:"]],
    ["verdict:|", ["verdict:allow", "verdict:deny", "verdict:pause"]],
    ["-verdict:d|", ["-verdict:deny"]],
    ["verdict:d| tool:x", ["verdict:deny tool:x"]],
    ["outcome:f|oo", ["outcome:failed"]],
    ["type:stop|", ["type:stop.placed", "type:stop.lifted", "type:breaker.stopped"]],
    ["tool:re|", ["tool:stripe.refund"]],
    ["tool:odd|", ['tool:"odd tool (1)"']],
    ['tool:"odd t|', ['tool:"odd tool (1)"']],
    ["agent:n|", ['agent:"night refunds"']],
    ["refu|", ["tool:stripe.refund", 'agent:"night refunds"', "rule:refund.huge"]],
    ["ent|", ["entry>"]],
    ["arg|", ["args."]],
    ["since:|", ["since:1h", "since:1d", "since:7d", "since:30d"]],
    ['"duplicate ch|', []],
    ["nothing:x|", []],
    ["args.amount>5|", []],
    ["entry>1|", []],
  ])("%s", (marked, expected) => {
    expect(offered(marked)).toEqual(expected);
  });

  it("offers every field where a term begins", () => {
    for (const marked of ["|", "tool:x |", "(|"]) expect(offered(marked)).toHaveLength(SEARCH_FIELDS.length);
  });

  it("offers whole terms that are queries, whatever names there are, and never fails", () => {
    const names = fc.array(fc.string({ minLength: 1, unit: "grapheme" }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.string(), fc.nat(), names, (query, at, tools) => {
        completeQuery(query, Math.min(at, query.length), { tool: tools });
        for (const { text } of completeQuery("tool:", 5, { tool: tools }).options) {
          const tool = parseQuery(`tool:${text}`, 0);
          expect(tool).toMatchObject({ kind: "name", field: "tool" });
          expect(tools).toContain("pattern" in tool && "exact" in tool.pattern ? tool.pattern.exact : undefined);
        }
      }),
    );
  });
});
