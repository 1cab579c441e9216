/** Policies written in TypeScript, behind `saferun.wrap`, and typed by a real schema library. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPolicies } from "@saferun/document";
import { createMemoryStore, nodeClock, nodeHash } from "@saferun/store";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { isDenied, opaque, policy, rule, saferun, tool } from "../src/index.ts";

const refund = tool("refund", {
  kind: "write",
  schema: z.object({
    amount: z.int(),
    currency: z.enum(["usd", "eur"]),
    note: z.string().optional(),
    lines: z.array(z.object({ price: z.number() })).default([]),
  }),
});
const small = rule({ id: "small", tool: refund, when: (c) => c.args.amount.le(100), then: "allow" });
const environments = { prod: { unmatched: "deny" } } as const;

afterEach(() => saferun.shutdown());

describe("wrap takes what `policy(…)` built", () => {
  function wrapped(policies: Parameters<typeof saferun.wrap>[1]["policies"], mode: "enforce" | "observe" = "observe") {
    const ran: number[] = [];
    const call = async function refund(args: { amount: number; currency: string }) {
      ran.push(args.amount);
      return args.amount;
    };
    const store = createMemoryStore({ clock: nodeClock });
    const gated = saferun.wrap(call, { policies, store, mode, environment: "prod" });
    const ask = async (amount: number) => {
      const answer: unknown = await gated({ amount, currency: "usd" });
      return isDenied(answer) ? answer.rules : answer;
    };
    return { ask, ran };
  }

  it("[P2~] a call that they deny does not run", async () => {
    const { ask, ran } = wrapped([policy({ environments, rules: [small] })]);
    expect([await ask(5), await ask(500)]).toEqual([5, ["unmatched:prod"]]);
    expect(ran).toEqual([5]);
  });

  it("[P2~] beside files, as one set; with a function that throws, closed (trap 5)", async () => {
    const throws = opaque(
      () => {
        throw new Error("no");
      },
      { version: "1" },
    );
    const never = policy({ rules: [rule({ id: "never", tool: refund, when: throws, then: "deny" })] });
    const directory = mkdtempSync(join(tmpdir(), "saferun-policies-"));
    const file = join(directory, "environments.yaml");
    writeFileSync(file, "saferun: policy/v1\nenvironments: { prod: {} }\n");
    const { ask, ran } = wrapped([file, policy({ rules: [small] }), never]);
    expect([await ask(5), ran]).toEqual([["never"], []]);
    await saferun.shutdown();
    rmSync(directory, { recursive: true });
  });

  it("[P2~] two policies that print alike but hold different functions are two", async () => {
    const of = (answer: boolean) =>
      policy({
        environments,
        rules: [rule({ id: "code", tool: refund, when: opaque(() => answer, { version: "1" }), then: "allow" })],
      });
    expect(await wrapped([of(true)]).ask(1)).toBe(1);
    expect(await wrapped([of(false)]).ask(1)).toEqual(["unmatched:prod"]);
  });

  it("[P2~] `enforce` makes their observed rules bind, and their issues and failing tests refuse the wrap", async () => {
    const observed = policy({
      environments,
      rules: [
        small,
        rule({ id: "odd", tool: refund, when: (c) => c.args.amount.mod(2).eq(1), then: "deny", mode: "observe" }),
      ],
    });
    expect(await wrapped([observed]).ask(5)).toBe(5);
    expect(await wrapped([observed], "enforce").ask(5)).toEqual(["odd"]);
    const broken = policy({
      environments,
      rules: [rule({ id: "x", tool: refund, when: "args.amount >", then: "allow" })],
    });
    expect(() => wrapped([broken])).toThrow(/policies-typescript\.test\.ts:\d+:\d+: error: the condition ends/);
    const call = { tool: refund.name, args: { amount: 1, currency: "usd" } } as const;
    const untrue = policy({ environments, rules: [small], tests: [{ name: "t", call, expect: "deny" }] });
    expect(() => wrapped([untrue])).toThrow(/the test `t` fails/);
    expect(() => wrapped([import.meta.filename])).toThrow(/a module is not read; import it and hand over what/);
    expect(() => wrapped([{} as never])).toThrow(/must be a list of paths, and of what `policy\(…\)` gives/);
  });
});

it("[P2~] zod's types are those of the conditions, and its schema is the tool's", () => {
  const rules = [
    rule({
      id: "typed",
      tool: refund,
      when: (c) => c.args.amount.gt(0).and(c.args.currency.eq("usd"), c.has(c.args.note)),
      then: "allow",
    }),
    // @ts-expect-error a misspelt argument
    rule({ id: "misspelt", tool: refund, when: (c) => c.args.amuont.gt(0), then: "allow" }),
    // @ts-expect-error a value that the schema does not have
    rule({ id: "value", tool: refund, when: (c) => c.args.currency.eq("chf"), then: "allow" }),
  ];
  expect(refund.issues).toEqual([]);
  const load = (...some: typeof rules) => loadPolicies([policy({ environments, rules: some })], { hash: nodeHash });
  expect(load(...rules.slice(0, 1)).ok).toBe(true);
});
