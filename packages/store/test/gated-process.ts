/**
 * A process whose tool is behind the gate, until so many calls were made: `node gated-process.ts DIRECTORY COUNT [back]`. It says
 * `ran ID` in the tool and `done ID` when the call was answered; with `back`, its clock goes back an hour on the way.
 */
import { writeSync } from "node:fs";
import { createGate, type Decision, type PolicySet, WITHOUT_LIMITS } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "../src/index.ts";

const [directory = "", count = "0", mode = ""] = process.argv.slice(2);
const allow: Decision = { verdict: "allow", by: ["all"], reason: "", revision: "r", rules: [], pauses: [] };
const policies: PolicySet = {
  revision: "r",
  evaluate: () => allow,
  explain: () => allow,
  kind: () => "write",
  declares: () => true,
  boundPaths: () => [],
  bound: (_tool, args) => args,
  ...WITHOUT_LIMITS,
  traits: () => ({ kind: "write" }),
};
let made = 0;
const clock = { ...nodeClock, now: () => Date.now() - (mode === "back" && made > Number(count) / 2 ? 3_600_000 : 0) };
const store = openSqliteStore({ directory, clock });
const notifier = { paused: () => undefined };
const ports = { store, clock, hash: nodeHash, random: nodeRandom, notifier, policies: { current: () => policies } };
const gate = createGate(ports);
const run = gate.openRun({ agent: "support", environment: "prod" });
for (; made < Number(count); made++) {
  const answer = await gate
    .call(run, { tool: "refund", args: { amount: made } }, ({ callId }) => {
      writeSync(1, `ran ${callId}\n`);
      return made;
    })
    .catch(() => undefined);
  if (answer?.status === "ran") writeSync(1, `done ${answer.permit.callId}\n`);
}
await store.close().catch(() => {});
