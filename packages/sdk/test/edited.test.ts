/** What an approver changed goes the whole way again: editable paths, schema, rules, budgets; and everybody is told. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHeader, type Store } from "@saferun/core";
import { createMemoryStore } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isDenied, type PausedCall, saferun } from "../src/index.ts";

let directory: string;
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-edited-"));
  store = createMemoryStore();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools:
  pay:
    kind: write
    schema:
      type: object
      properties: { amount: { type: integer }, charge: { type: string } }
      required: [amount, charge]
rules:
  - { id: small, tool: pay, when: args.amount > 0 && args.amount <= 50, then: allow, else: pause, approval: { editable: [amount] } }
  - { id: never, tool: pay, when: args.amount > 900, then: deny }
budgets:
  - { id: day, tool: pay, sum: args.amount, unit: usd_cents, per: { window: ever }, limit: 100, over: pause }
`;

/** One call of 80, answered each time it asks by the next edit; null approves as it stands. */
async function play(edits: readonly (Readonly<Record<string, unknown>> | null)[]) {
  const file = join(directory, "policies.yaml");
  writeFileSync(file, POLICY);
  const ran: unknown[] = [];
  const asked: string[][] = [];
  const answers: string[] = [];
  const messages: string[] = [];
  const rest = [...edits];
  const onPause = async (call: PausedCall): Promise<void> => {
    asked.push(call.reasons.map(({ rule }) => rule).sort());
    const edit = rest.shift();
    const args = edit === null ? undefined : { ...call.args, ...edit };
    const answer = await call.approve({ by: "ann", ...(args === undefined ? {} : { args: args as never }) });
    answers.push(answer.status);
    if (answer.status === "refused") messages.push(answer.message);
    if (answer.status === "refused") await call.deny({ by: "ann" });
  };
  const pay = saferun.wrap(
    async function pay(args: object) {
      ran.push(structuredClone(args));
      return { paid: true };
    },
    { policies: [file], store, environment: "prod", onPause },
  );
  const result = await pay({ amount: 80, charge: "ch_1" });
  return { ran, asked, answers, messages, result };
}

async function recorded(type: string, part: string): Promise<unknown[]> {
  const entries = await store.entries({ from: 0, limit: 1_000 });
  return entries.flatMap(({ header, parts }) => {
    const found = parts.find(({ name }) => name === part);
    return parseHeader(header).type === type && found?.bytes ? [JSON.parse(new TextDecoder().decode(found.bytes))] : [];
  });
}

describe("[A3] an edited call", () => {
  it("runs as edited, once; proposed and edited stand in the record, and the model is told what ran", async () => {
    const { ran, answers, result } = await play([{ amount: 60 }]);
    expect(ran).toEqual([{ amount: 60, charge: "ch_1" }]);
    expect(answers).toEqual(["applied"]);
    expect(result).toMatchObject({ paid: true, saferun: { edited: true, ran: { amount: 60, charge: "ch_1" } } });
    expect(await recorded("call.proposed", "arguments")).toEqual([{ amount: 80, charge: "ch_1" }]);
    expect(await recorded("approval.decided", "arguments")).toEqual([{ amount: 60, charge: "ch_1" }]);
    const [pot] = await store.rows({ kind: "pot", limit: 1 });
    expect(pot?.value).toMatchObject({ held: "0", spent: "60" });
  });

  it("beyond a budget asks again, for exactly what is edited", async () => {
    const { ran, asked, result } = await play([{ amount: 120 }, null]);
    expect(asked).toEqual([["small"], ["budget:day", "small"]]);
    expect(ran).toEqual([{ amount: 120, charge: "ch_1" }]);
    expect(isDenied(result)).toBe(false);
  });

  it.each([
    ["by the schema", { amount: "many" }, "schema:pay"],
    ["by a rule", { amount: 950 }, "never"],
  ])("is denied %s: its approver hears of it at once, and nothing has run", async (_what, edit, rule) => {
    const { ran, answers, messages, result } = await play([edit]);
    expect(answers).toEqual(["refused"]);
    expect(messages).toEqual([expect.stringContaining(rule)]);
    expect(isDenied(result)).toBe(true);
    expect(ran).toEqual([]);
    const [pot] = await store.rows({ kind: "pot", limit: 1 });
    expect(pot?.value).toMatchObject({ held: "0", spent: "0" });
  });

  it("in what nobody may edit is refused", async () => {
    const { ran, answers, result } = await play([{ charge: "ch_2" }]);
    expect(answers).toEqual(["refused"]);
    expect(isDenied(result)).toBe(true);
    expect(ran).toEqual([]);
  });
});
