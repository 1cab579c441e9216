/** `saferun test`, `saferun explain` and `saferun backtest`, as processes of their own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { saferun as runner } from "@saferun/sdk";
import { createMemoryStore } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, POLICY, pendingApproval, type Sample } from "./sample.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const write = (name: string, text: string) => writeFileSync(join(place.cwd, name), text);

const TESTS = `tests:
  - name: a small refund passes
    env: prod
    call: { tool: stripe.refund, args: { amount: 5000 } }
    expect: { then: allow, by: [refund-small] }
  - name: "a larger one\\u202e asks"
    env: prod
    run:
      - { call: { tool: stripe.refund, args: { amount: 5001 } }, expect: pause }
      - { call: { tool: stripe.refund, args: { amount: "5,001" } }, expect: deny }
`;

describe("saferun test", () => {
  it("runs the tests beside the rules: what was expected, what came, and where the rule stands [P11~]", async () => {
    write("policies.yaml", POLICY + TESTS);
    expect(await saferun(place, ["test"])).toMatchObject({ code: 0, stdout: "2 passed, 0 failed\n" });
    write("policies.yaml", POLICY.replace("<= 5000", "<= 4000").replace("> 5000", "> 4000") + TESTS);
    const failed = await saferun(place, ["test"]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain("failed a small refund passes  policies.yaml:39:5");
    expect(failed.stdout).toContain("expected allow, got pause by refund-large");
    expect(failed.stdout).toContain("refund-large is at policies.yaml:20:9");
    expect(failed.stdout).toContain("1 passed, 1 failed");
    const json = (await saferun(place, ["test", "--json"])).json();
    expect(json).toMatchObject({
      ok: false,
      passed: 1,
      failed: 1,
      tests: [
        {
          name: "a small refund passes",
          file: "policies.yaml",
          line: 39,
          ok: false,
          failures: [
            {
              rules: [{ rule: "refund-large", line: 20 }],
            },
          ],
        },
        { ok: true, failures: [] },
      ],
    });
  });

  it("[P11] and a reload refuse the same set: what fails its tests does not come into force", async () => {
    const file = join(place.cwd, "policies.yaml");
    const small = TESTS.slice(0, TESTS.indexOf('  - name: "a larger'));
    const rules = (limit: number) => `saferun: policy/v1
environments: { prod: { unmatched: deny } }
rules:
  - { id: refund-small, tool: stripe.refund, when: args.amount <= ${limit}, then: allow }
tools: { stripe.refund: { kind: write } }
`;
    write("policies.yaml", rules(5_000) + small);
    const ran: number[] = [];
    const tools = { "stripe.refund": async ({ amount }: { amount: number }) => void ran.push(amount) };
    const warning = new Promise<Error>((resolve) => process.once("warning", resolve));
    const agent = runner.wrap({ tools }, { policies: [file], store: createMemoryStore(), environment: "prod" });
    expect(await saferun(place, ["test"])).toMatchObject({ code: 0 });

    write("policies.yaml", rules(4_000) + small);
    const refused = await saferun(place, ["test"]);
    expect(refused).toMatchObject({ code: 1 });
    const why = "expected allow, got deny by unmatched:prod";
    expect(refused.stdout).toContain(why);
    expect((await warning).message).toMatch(new RegExp(`stays in force:\\n.*policies\\.yaml:7:5: .*${why}`));
    await agent.tools["stripe.refund"]({ amount: 5_000 });

    write("policies.yaml", rules(6_000) + small);
    expect(await saferun(place, ["test"])).toMatchObject({ code: 0 });
    while (!ran.includes(6_000)) await agent.tools["stripe.refund"]({ amount: 6_000 });
    expect(ran).toEqual([5_000, 6_000]);
    await runner.shutdown();
  });

  it("is exit 3 where the policies do not load, and prints nothing that a terminal obeys", async () => {
    write("policies.yaml", `${POLICY}${TESTS.replace("expect: pause", "expect: deny")}`);
    const failed = await saferun(place, ["test"]);
    expect(failed.stdout).toContain("a larger one\\u{202e} asks");
    expect(failed.stdout).toContain("step 1: expected deny, got pause by refund-large");
    write("policies.yaml", `${POLICY}${TESTS.replace("env: prod", "env: prdo")}`);
    const broken = await saferun(place, ["test"]);
    expect(broken).toMatchObject({ code: 3, stdout: "" });
    expect(broken.stderr).toContain("unknown environment `prdo`; did you mean `prod`?");
  });

  it("reads the schemas that a policy file names, relative to it", async () => {
    mkdirSync(join(place.cwd, "policies"));
    write("policies/refund.json", '{"type":"object","properties":{"amount":{"type":"integer","maximum":10}}}');
    write(
      "policies/a.yaml",
      `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { refund: { kind: write, schema: ./refund.json } }
rules:
  - { id: all, tool: refund, then: allow }
tests:
  - name: over what the schema takes
    call: { tool: refund, args: { amount: 11 } }
    expect: deny
`,
    );
    for (const command of ["test", "check"])
      expect(await saferun(place, [command, "policies"])).toMatchObject({ code: 0 });
  });
});

const REFUND =
  '{"tool":"stripe.refund","args":{"amount":450000,"metadata":{"reason":"late"}},"agent":"support","env":"prod"}';

describe("saferun explain", () => {
  let sample: Sample;
  beforeEach(() => {
    write(
      "policies.yaml",
      POLICY.replace("reason: refunds over", "fix: Offer store credit.\n    reason: refunds over"),
    );
    sample = openSample(place.store);
  });
  afterEach(() => sample.store.close());

  it("[P16] says the verdict, its rule with its line, the values, what was false in the others, and what to do instead", async () => {
    const { stdout, code } = await saferun(place, ["explain", "--call", REFUND]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^pause by refund-large {2}revision [0-9a-f]{12}\n {2}refunds over 50\.00 need a person\n {2}instead: Offer store credit\./,
    );
    expect(stdout).toMatch(
      /rules that spoke\n {2}refund-large {2}pause {2}policies\.yaml:20:9\n {4}args\.amount > 5000 +true\n {4}args\.amount +450000\n {4}args\.amount < 1000000 +true/,
    );
    expect(stdout).toMatch(
      /did not match.*\n {2}refund-small {2}allow {2}policies\.yaml:16:9\n {4}args\.amount <= 5000 +false\n {4}args\.amount +450000/,
    );
    const json = (await saferun(place, ["explain", "--call", REFUND, "--json"])).json();
    expect(json).toMatchObject({
      verdict: "pause",
      by: ["refund-large"],
      fix: "Offer store credit.",
      kind: "destructive",
      rules: [
        {
          rule: "refund-large",
          line: 20,
          matched: "true",
          because: [{ text: "args.amount > 5000", value: true }, { text: "args.amount", value: 450_000 }, {}],
        },
        { rule: "refund-small", line: 16, matched: "false", because: [{ text: "args.amount <= 5000", value: false }] },
      ],
    });
    const denied = await saferun(place, ["explain", "--call", '{"tool":"shell","args":{"cmd":"\\u001b[2J"}}']);
    expect(denied.stdout).toContain(
      "no rule permits it, and `unmatched:prod` says deny for destructive tools: it is one, because nothing declares it",
    );
    expect(denied.stdout).not.toContain("\u001b");
    expect(denied.stdout).not.toContain("is no declared environment");
    const elsewhere = await saferun(place, ["explain", "--call", '{"tool":"shell","args":{},"env":"stagin"}']);
    expect(elsewhere.stdout).toContain("`stagin` is no declared environment, so that the strictest one counts\n");
    const erring = await saferun(place, ["explain", "--call", '{"tool":"stripe.refund","args":{"amount":"9"}}']);
    expect(erring.stdout).toMatch(/deny by unmatched:prod[\s\S]*refund-large[\s\S]*error/);
  });

  it("[P16~] explains a call of the log, by what was recorded with it, under the policies of now", async () => {
    const { gate, run, execute } = sample;
    await gate.call(run, { tool: "orders.get", args: { id: 17 } }, execute);
    const { steps } = (await saferun(place, ["runs", run.id, "--store", place.store, "--json"])).json() as {
      steps: { call?: string }[];
    };
    const id = steps.find((step) => step.call !== undefined)?.call ?? "";
    const ask = (...args: string[]) =>
      saferun(place, ["explain", "--run", run.id, "--call-id", id, "--store", place.store, ...args]);
    expect((await ask()).stdout).toContain("allow by orders-read");
    expect((await ask()).stdout).toContain("as recorded under revision");
    write("new.yaml", POLICY.replace("tool: orders.get\n    then: allow", "tool: orders.get\n    then: deny"));
    const changed = await ask("-p", "new.yaml", "--json");
    expect(changed.json()).toMatchObject({
      verdict: "deny",
      agent: "support",
      env: "prod",
      recorded: { verdict: "allow", by: ["orders-read"] },
    });
    expect(
      await saferun(place, ["explain", "--run", run.id, "--call-id", "call_none", "--store", place.store]),
    ).toMatchObject({ code: 3 });
    for (const args of [[], ["--run", run.id], ["--call", "{}"], ["--call", REFUND, "--run", run.id]]) {
      expect(await saferun(place, ["explain", ...args]), args.join(" ")).toMatchObject({ code: 2, stdout: "" });
    }
  });
});

describe("saferun backtest", () => {
  const NEW = POLICY.replace("args.amount <= 5000", "args.amount <= 200").replace(
    "args.amount > 5000",
    "args.amount > 200",
  );
  const backtest = (...args: string[]) => saferun(place, ["backtest", "-p", "new.yaml", ...args]);
  beforeEach(() => {
    write("policies.yaml", POLICY);
    write("new.yaml", NEW);
  });

  it("[P13] counts what other policies would have done to the calls of the log, and names each call that changes", async () => {
    const sample = openSample(place.store);
    const { gate, run, execute, store } = sample;
    for (const amount of [100, 150, 250, 5_000])
      await gate.call(run, { tool: "stripe.refund", args: { amount } }, execute);
    await gate.call(run, { tool: "stripe.refund", args: { amount: Number.NaN } }, execute);
    const waiting = gate.call(run, { tool: "stripe.refund", args: { amount: 9_000 } }, execute);
    const approval = await pendingApproval(store, "stripe.refund");
    await saferun(place, ["approvals", "approve", approval, "--set", "amount=100", "--store", place.store]);
    await waiting;
    await store.close();
    const result = await backtest("--since", "7d", "--store", place.store, "--json");
    expect(result.code).toBe(1);
    const json = result.json();
    expect(json).toMatchObject({
      judged: 5,
      changed: 2,
      same_verdict_by_other_rules: 0,
      not_reproducible: { malformed: 1 },
      before: { allow: 4, deny: 0, pause: 1 },
      after: { allow: 2, deny: 0, pause: 3 },
      moves: [{ from: "allow", to: "pause", calls: 2 }],
      rules: [
        { id: "refund-large", before: 1, after: 3 },
        { id: "refund-small", before: 4, after: 2 },
      ],
      changes_left_out: 0,
    });
    const ids = (json.changes as { where: string }[]).map(({ where }) => where);
    const { steps } = (await saferun(place, ["runs", run.id, "--store", place.store, "--json"])).json() as {
      steps: { call?: string; arguments?: { proposed: { value?: { amount?: unknown } } } }[];
    };
    const amountOf = (step: (typeof steps)[number]) => step.arguments?.proposed.value?.amount;
    expect(ids).toEqual(
      steps.filter((step) => amountOf(step) === 250 || amountOf(step) === 5_000).map(({ call }) => call),
    );
    expect((await backtest("--since", "2020-01-01", "--store", place.store, "--limit", "1")).stdout).toMatch(
      /5 calls judged, 2 with another verdict\n1 could not be judged again: they were no calls[\s\S]*allow → pause {2}2[\s\S]*and 1 more/,
    );
    expect(await backtest("--against", "new.yaml", "--store", place.store)).toMatchObject({ code: 0 });
    expect((await backtest("--since", "0m", "--store", place.store, "--json")).json()).toMatchObject({ judged: 0 });

    const db = new DatabaseSync(join(place.store, "log.db"), { timeout: 5_000 });
    db.exec(
      "UPDATE parts SET bytes = NULL, salt = NULL WHERE name = 'arguments' AND CAST(bytes AS TEXT) = '{\"amount\":250}'",
    );
    db.exec(
      `UPDATE parts SET bytes = CAST('{"encoding":"omitted","bytes":9}' AS BLOB) WHERE name = 'arguments' AND CAST(bytes AS TEXT) = '{"amount":150}'`,
    );
    db.close();
    const less = await backtest("--store", place.store, "--json");
    expect(less.json()).toMatchObject({
      judged: 3,
      changed: 1,
      not_reproducible: { malformed: 1, erased: 1, masked: 1 },
    });
  });

  it("[P13~] reads lines of calls, with their verdict or against other policies, by the context that stands in them", async () => {
    const lines = [
      '{"tool":"stripe.refund","args":{"amount":300},"verdict":"allow","by":["refund-small"]}',
      '{"tool":"stripe.refund","args":{"amount":100},"verdict":"allow","by":["another"]}',
      '{"tool":"stripe.refund", "args":{"amount":300, "amount":1}}',
      '{"tool":"orders.get","args":{}}',
    ];
    write("calls.jsonl", lines.join("\n"));
    const recorded = await backtest("--calls", "calls.jsonl", "--json");
    expect(recorded.code).toBe(1);
    expect(recorded.json()).toMatchObject({
      judged: 3,
      changed: 1,
      same_verdict_by_other_rules: 1,
      verdict_before_unknown: 1,
      not_reproducible: { malformed: 1 },
      changes: [
        {
          where: "line 1",
          tool: "stripe.refund",
          from: "allow",
          from_by: ["refund-small"],
          to: "pause",
          by: ["refund-large"],
        },
      ],
    });
    const against = await backtest("--calls", "calls.jsonl", "--against", "policies.yaml", "--json");
    expect(against.json()).toMatchObject({ judged: 3, changed: 1, verdict_before_unknown: 0 });
    write("same.jsonl", lines.slice(1, 2).join("\n"));
    expect(await backtest("--calls", "same.jsonl", "--against", "policies.yaml")).toMatchObject({ code: 0 });
    expect(await backtest("--calls", "same.jsonl", "--since", "7d")).toMatchObject({ code: 2 });
    expect(await backtest("--store", "nowhere")).toMatchObject({ code: 3 });
  });
});
