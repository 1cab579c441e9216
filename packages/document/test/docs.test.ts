/** docs/policies-typescript.md shows code that compiles, runs, and decides what the page says. */
import { readFileSync } from "node:fs";
import { runPolicyTests } from "@saferun/core";
import { expect, it } from "vitest";
import { loadPolicies, policy } from "../src/index.ts";
import { decide, hash } from "./loading.ts";
import { closed, conditions, exported, load } from "./policies-typescript.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

it("[P2~] every snippet of the page is a region of the file that is compiled, and the other way round", () => {
  const regions = [...read("policies-typescript.ts").matchAll(/^\/\/ #region \w+\n([\s\S]*?)^\/\/ #endregion/gm)];
  const snippets = [...read("../../../docs/policies-typescript.md").matchAll(/^```ts\n([\s\S]*?)^```/gm)];
  expect(snippets.length).toBe(4);
  expect(snippets.map(([, text]) => text)).toEqual(regions.map(([, text]) => text));
});

it("[P2~] the page's policy loads, passes its own test, and decides as its file does", () => {
  const { policies, documents } = load(hash);
  expect(runPolicyTests(policies, documents, hash)).toMatchObject([{ name: "a small refund passes", ok: true }]);
  const ask = (amount: number) => decide(policies, { tool: "refund", args: { amount, currency: "usd" } }).verdict;
  expect([ask(10_000), ask(10_001), ask(0)]).toEqual(["allow", "pause", "pause"]);
  const printed = loadPolicies([{ file: "payments.yaml", text: exported }], { hash });
  expect(printed.ok && printed.policies.environments).toEqual(policies.environments);
});

it("[P2~] the page's conditions and its function load and decide", () => {
  const built = policy({ environments: { prod: { unmatched: "deny" } }, rules: [...conditions, closed] });
  const loaded = loadPolicies([built], { hash, knownTools: ["mail.send"] });
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join("\n"));
  const mail = (to: string) => decide(loaded.policies, { tool: "mail.send", args: { to } }).by;
  expect(mail("ann@acme.com")).toEqual(["f"]);
  expect(mail("ann@acme.com.evil.example")).toEqual(["unmatched:prod"]);
  const args = { amount: 4950, currency: "usd", reason: "broken", items: [{ price: 1 }] };
  expect(decide(loaded.policies, { tool: "refund", args })).toMatchObject({ verdict: "allow", by: ["a"] });
  expect(decide(loaded.policies, { tool: "refund", args: { ...args, items: [{ price: -1 }] } }).by).toEqual(["d"]);
  expect(decide(loaded.policies, { tool: "refund", args: { ...args, amount: 5000 } }).by).toEqual(["h"]);
});

it("[P1~] the policy of docs/budgets.md loads, and counts what the page says", () => {
  const [, text = ""] = /^```yaml\n([\s\S]*?)^```/m.exec(read("../../../docs/budgets.md")) ?? [];
  const loaded = loadPolicies([{ file: "budgets.yaml", text }], { hash });
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join("\n"));
  const of = { agent: "a", environment: "prod" };
  expect(loaded.policies.detectors({ ...of, tool: "mail.send" })).toMatchObject({
    caps: { calls: 100, usdMicros: 5_000_000n },
    repeat: { over: "pause" },
    rate: { mode: "observe", recipient: 3 },
  });
  expect(loaded.policies.traits("job.status").poll).toEqual({ everyMs: 5_000, forMs: 600_000 });
});
