/** What a run stores whose prompt grows by one message a step. */
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createGate } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";
import { atMost, type Row, row } from "../report.ts";
import { asYaml, rules } from "./workload.ts";

const STEPS = 200;
/** Characters of a tool's answer, which is what a prompt mostly grows by: some 1,500 tokens. */
const MESSAGE = 6_000;

export async function growingPrompt(): Promise<Row[]> {
  const directory = mkdtempSync(path.join(import.meta.dirname, ".run-"));
  try {
    const said = await converse(directory);
    const db = new DatabaseSync(path.join(directory, "log.db"), { readOnly: true });
    const sum = (sql: string): number => Number(Object.values(db.prepare(sql).get() ?? {})[0]);
    const entries = sum("SELECT sum(length(header) + length(leaf) + length(run)) FROM entries");
    const parts = sum("SELECT sum(length(name) + length(salt) + length(bytes)) FROM parts");
    db.close();
    const what = `a run of ${STEPS} steps, a message of ${MESSAGE} characters more in each prompt`;
    return [
      row(
        `${what}: all bytes stored, against those of its distinct messages`,
        (entries + parts) / said.distinct,
        "×",
        atMost(1.3),
      ),
      row("… if each prompt were stored whole", said.whole / said.distinct, "×"),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Bytes of the messages, once each, and as often as they were sent. */
async function converse(directory: string): Promise<{ readonly distinct: number; readonly whole: number }> {
  const store = openSqliteStore({ directory });
  try {
    const loaded = loadPolicies([{ file: "bench.yaml", text: asYaml(rules(100, 10)) }], { hash: nodeHash });
    if (!loaded.ok) throw new Error("the benchmark's policies do not load");
    const policies = { current: () => loaded.policies };
    const notifier = { paused: () => undefined };
    const gate = createGate({ store, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier, policies });
    const run = gate.openRun({ agent: "bench", environment: "prod" });
    const settings = { temperature: 0, tools: ["orders.get"] };
    const messages: unknown[] = [{ role: "system", content: words(MESSAGE, 0) }];
    let whole = 0;
    for (let step = 1; step <= STEPS; step++) {
      whole += bytesOf(messages);
      const ticket = await gate.model.request(run, { model: "bench:large", messages, settings });
      const response = { role: "assistant", content: `looking up order ${step}` };
      await gate.model.response(run, ticket, response);
      messages.push({ role: "tool", content: words(MESSAGE, step) });
    }
    return { distinct: bytesOf(messages.slice(0, -1)), whole };
  } finally {
    await store.close();
  }
}

function bytesOf(messages: readonly unknown[]): number {
  return messages.reduce<number>((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0);
}

function words(characters: number, seed: number): string {
  return `order ${seed} of a customer who asks again. `.repeat(Math.ceil(characters / 30)).slice(0, characters);
}
