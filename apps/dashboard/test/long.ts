/** Runs of thousands of steps, and as many questions as a bad night brings: through the gate, many at a time. */
import { createGate, type Gate } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";

const DETECTORS = ["repeat", "cycle", "similar", "errors", "varied", "raw", "denials", "rate", "novelty", "duplicate"];

/** Nothing is stopped for being much. */
const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: deny } }
tools:
  orders.lookup: { kind: read }
  stripe.refund: { kind: write }
  note.add: { kind: write }
rules:
  - { id: refund.small, tool: stripe.refund, then: allow, when: args.amount <= 5000 }
  - { id: refund.huge, tool: stripe.refund, then: deny, when: args.amount > 5000, reason: No refund over $50. }
  - { id: note.asked, tool: note.add, then: pause, reason: Every note is looked at. }
breakers:
  - ${[...DETECTORS, "caps", "trips"].map((name) => `${name}: { mode: observe }`).join("\n    ")}
`;

const AT_ONCE = 64;
/** Calls behind a question to the model. */
const CALLS_PER_TURN = 7;

/** Runs of so many steps each, a model's turn before every seven calls; they differ in every `odd`-th call. */
export async function recordRuns(directory: string, steps: number, odd: readonly number[]): Promise<readonly string[]> {
  const { gate, close } = openGate(directory);
  const ids = await Promise.all(odd.map((one) => recordRun(gate, steps, one)));
  await close();
  return ids;
}

/** So many runs of one call each, the newest last; every `denied`-th is refused, by another agent than the others. */
export async function recordShortRuns(directory: string, count: number, denied: number): Promise<void> {
  const { gate, close } = openGate(directory);
  for (let from = 0; from < count; from += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, at) => from + at);
    // Runs are listed in the order of their first entries: one is opened after the other, and their calls go on together.
    await Promise.all(numbers.map((number) => shortRun(gate, number, number % denied === denied - 1)));
  }
  await close();
}

async function shortRun(gate: Gate, number: number, isDenied: boolean): Promise<void> {
  const run = gate.openRun({
    agent: isDenied ? "night-bot" : "support-bot",
    environment: "prod",
    principal: { id: `customer-${number % 5}`, kind: "person", roles: [], labels: {} },
  });
  const args = isDenied ? { order: `o-${number}`, amount: 1_000_000 } : { order: `o-${number}` };
  await gate.call(run, { tool: isDenied ? "stripe.refund" : "orders.lookup", args }, done);
}

/** A run that hands a part of its work to a sub-agent with a run of its own. */
export async function recordNested(directory: string): Promise<{ readonly outer: string; readonly inner: string }> {
  const { gate, close } = openGate(directory);
  const outer = gate.openRun({ agent: "chief-bot", environment: "prod" });
  await gate.call(outer, { tool: "orders.lookup", args: { order: "outer" } }, done);
  const inner = gate.openRun({ agent: "helper-bot", environment: "prod", parent: outer });
  await gate.call(inner, { tool: "orders.lookup", args: { order: "inner" } }, done);
  await gate.call(outer, { tool: "orders.lookup", args: { order: "outer again" } }, done);
  await close();
  return { outer: outer.id, inner: inner.id };
}

async function recordRun(gate: Gate, steps: number, odd: number): Promise<string> {
  const run = gate.openRun({ agent: "support-bot", environment: "prod", prompt: ["Refund everything"] });
  const turns = Math.ceil(steps / (CALLS_PER_TURN + 1));
  for (let turn = 0; turn < turns; turn++) {
    const messages = [{ role: "user", content: `turn ${turn}` }];
    const ticket = await gate.model.request(run, { model: "test:large", messages, settings: {} });
    const usage = { inputTokens: 900, outputTokens: 40 };
    await gate.model.response(run, ticket, { content: `looking up ${turn}`, usage });
    const calls = Math.min(CALLS_PER_TURN, steps - turn * (CALLS_PER_TURN + 1) - 1);
    const numbers = Array.from({ length: calls }, (_, at) => turn * CALLS_PER_TURN + at);
    await Promise.all(numbers.map((number) => gate.call(run, callOf(number, odd), done)));
  }
  return run.id;
}

function callOf(number: number, odd: number) {
  const refund = number % 3 === 0;
  const args = refund
    ? { order: `o-${number}`, amount: number % 60 === 0 ? 1_000_000 : 100 }
    : { order: `o-${number}`, note: odd > 0 && number % odd === 0 ? "again" : "first" };
  return { tool: refund ? "stripe.refund" : "orders.lookup", args };
}

const done = ({ args }: { readonly args: unknown }) => ({ done: true, args, text: "lorem ipsum ".repeat(20) });

/** So many calls that wait for a person; they are withdrawn at `end`. */
export async function ask(directory: string, count: number): Promise<{ end(): Promise<void> }> {
  const { gate, store, close } = openGate(directory);
  const stop = new AbortController();
  const waiting: Promise<unknown>[] = [];
  for (let number = 0; number < count; number++) {
    const run = gate.openRun({ agent: "night-bot", environment: "prod" });
    waiting.push(gate.call(run, { tool: "note.add", args: { text: `note ${number}` }, signal: stop.signal }, done));
    if (number % AT_ONCE === AT_ONCE - 1) await asked(number + 1);
  }
  await asked(count);
  async function asked(many: number): Promise<void> {
    while ((await store.approvals({ state: "pending", limit: many })).length < many) await nodeClock.sleep(20);
  }
  return {
    async end() {
      stop.abort();
      await Promise.allSettled(waiting);
      await close();
    },
  };
}

function openGate(directory: string) {
  const loaded = loadPolicies([{ file: "policies.yaml", text: POLICIES }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const store = openSqliteStore({ directory, clock: nodeClock });
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const gate = createGate({ ...ports, notifier: { paused() {} }, policies: { current: () => loaded.policies } });
  return { gate, store, close: () => store.close() };
}
