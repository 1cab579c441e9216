import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { args, decide, hash, model, rules } from "../../../test/small-policies.ts";
import type { JsonObject } from "../../value/json.ts";
import { compilePolicies } from "../compile.ts";
import type { PolicyModel } from "../model.ts";
import { accessOf } from "./access.ts";

const BOT = { agent: "bot", environment: "prod" } as const;

/** `agent tool: verdict by, …`, and each example asked again. */
function said(
  policies: PolicyModel,
  callers: readonly { agent: string; environment: string }[] = [BOT],
  tools = ["t"],
) {
  const compiled = compilePolicies(policies, hash);
  return accessOf(policies, { callers, tools }).access.map(({ agent, environment, tool, answers }) => {
    for (const { verdict, by, would, example } of answers) {
      expect(example).toMatchObject({ tool, agent, env: environment });
      const decision = decide(compiled, example);
      expect([decision.verdict, decision.by]).toEqual([verdict, by]);
      expect(decision.would).toEqual(would === undefined ? undefined : expect.objectContaining(would));
    }
    const texts = answers.map(({ verdict, by, principal = "", would }) =>
      [verdict, by.join("+"), principal, would?.verdict ?? "", would?.by.join("+") ?? ""]
        .filter((text) => text !== "")
        .join(" "),
    );
    return `${agent} ${environment} ${tool}: ${texts.join(", ")}`;
  });
}

describe("who may call what", () => {
  it("is every answer of the rules, from the freest to the strictest, each shown by a call", () => {
    const policies = model([
      { id: "small", when: "args.n > 0 && args.n <= 100", then: "allow", else: "pause" },
      { id: "limit", when: "args.n > 1000", then: "deny" },
    ]);
    expect(said(policies)).toEqual(["bot prod t: allow small, pause small, deny limit"]);
  });

  it("is what the environment says where no rule speaks", () => {
    expect(said(model([]), [BOT], ["t", "u", "nobody.declared"])).toEqual([
      "bot prod t: deny unmatched:prod",
      "bot prod u: deny unmatched:prod",
      "bot prod nobody.declared: deny unmatched:prod",
    ]);
  });

  it("tells agents, environments and principals apart, and what is only observed", () => {
    const policies = model(
      [
        { id: "mail", agent: "mail*", then: "allow" },
        { id: "boss", principal: "role:boss", then: "pause" },
      ],
      { environments: { prod: { unmatched: "deny" }, dev: { unmatched: "deny", mode: "observe" } } },
    );
    const callers = [BOT, { agent: "mailer", environment: "prod" }, { agent: "bot", environment: "dev" }];
    expect(said(policies, callers)).toEqual([
      "bot prod t: pause boss role:boss, deny unmatched:prod",
      "mailer prod t: allow mail, pause boss role:boss",
      "bot dev t: allow observe:dev role:boss pause boss, allow observe:dev deny unmatched:dev",
    ]);
  });

  it("names no rules together where one of them is enough", () => {
    const policies = model([
      { id: "limit", when: "args.n > 10", then: "deny" },
      { id: "positive", when: "args.n <= 0", then: "deny" },
      { id: "any", then: "allow" },
    ]);
    expect(said(policies)).toEqual(["bot prod t: allow any, deny positive, deny limit"]);
  });

  it("leaves out what the schema refuses, and says where an answer may have been missed", () => {
    const policies = model([{ id: "odd", when: 'args.s.contains("x")', then: "allow" }], {
      tools: {
        t: { kind: "write", schema: { type: "object", required: ["s"], properties: { s: { type: "string" } } } },
      },
    });
    expect(said(policies)).toEqual(["bot prod t: allow odd, deny unmatched:prod"]);
    expect(accessOf(policies, { callers: [BOT], tools: ["t"] }).incomplete).toEqual([
      { tool: "t", why: "a condition does more than compare arguments with constants" },
    ]);
  });

  it("bounds what it asks, and says so", () => {
    const many = Array.from({ length: 1_200 }, (_, n) => ({ when: `args.n == ${n}`, then: "deny" }));
    const { access, incomplete } = accessOf(model(many), { callers: [BOT], tools: ["t"] });
    expect(access[0]?.answers).toHaveLength(12);
    expect(incomplete).toEqual([{ tool: "t", why: "there are more cases than are asked about" }]);
  });

  it("holds every answer that random calls get", () => {
    fc.assert(
      fc.property(rules, fc.array(args, { minLength: 20, maxLength: 20 }), (written, calls) => {
        const policies = model(written);
        const compiled = compilePolicies(policies, hash);
        const { access, incomplete } = accessOf(policies, { callers: [BOT], tools: ["t"] });
        expect(incomplete).toEqual([]);
        const known = access.flatMap(({ answers }) => answers);
        for (const each of calls) {
          const call = { tool: "t", env: "prod", agent: "bot", args: JSON.parse(JSON.stringify(each)) as JsonObject };
          const { verdict, by } = decide(compiled, call);
          expect(known.some((one) => one.verdict === verdict && one.by.every((rule) => by.includes(rule)))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
