/** A stop under load: how many calls are claimed after it, and how long tools still hear from calls that were claimed before. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { createGate, type Gate, parseHeader, type Store } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";
import { median } from "../measure.ts";
import { atMost, type Row, row } from "../report.ts";

const ROUNDS = 5;
const IN_FLIGHT = 64;
const CALLS_BEFORE = 1_000;
/** Calls of one run; fewer than its caps. */
const CALLS_OF_A_RUN = 100;
const DENIED_AFTER = 1_000;

const POLICY = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
tools:
  pay: { kind: write }
rules:
  - { id: all, tool: pay, then: allow }
breakers:
  - tool: pay
    rate: { calls: 10000, recipient: 5, within: 1m }
`;

interface Stopped {
  /** Claims of effectful calls that stand after the stop in the log. */
  readonly late: number;
  readonly before: number;
  /** From the operator's request until the stop was durable. */
  readonly placedMs: number;
  /** From then until a tool was contacted for the last time; 0 where none was. */
  readonly contactedMs: number;
  readonly deniedMs: number;
}

export async function stops(): Promise<Row[]> {
  const rounds: Stopped[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await oneStop());
  const all = (of: (stopped: Stopped) => number) => rounds.map(of);
  const late = all(({ late }) => late).reduce((sum, each) => sum + each, 0);
  return [
    row("calls claimed before the stop, each round", median(all(({ before }) => before)), "calls"),
    row("effectful calls claimed after the stop, in the store's order, all rounds", late, "calls", atMost(0)),
    row("an operator's stop until it is durable, under load, median", median(all(({ placedMs }) => placedMs)), "ms"),
    row(
      "from then until a tool was last contacted, worst",
      Math.max(...all(({ contactedMs }) => contactedMs)),
      "ms",
      atMost(1_000),
    ),
    row(
      "from then until the first call is denied, worst",
      Math.max(...all(({ deniedMs }) => deniedMs)),
      "ms",
      atMost(1_000),
    ),
  ];
}

async function oneStop(): Promise<Stopped> {
  const directory = mkdtempSync(path.join(import.meta.dirname, ".store-"));
  const store = openSqliteStore({ directory: path.join(directory, "store"), busyMs: 60_000 });
  let operator: Operator | undefined;
  try {
    operator = await startOperator(path.join(directory, "store"));
    const load = startLoad(gateOn(store));
    await load.under(CALLS_BEFORE);
    const { asked, placed } = await operator.stop();
    await load.over();
    const { before, late } = await claims(store);
    const last = load.contacts.at(-1) ?? placed;
    const deniedMs = Math.max(0, (load.firstDenied() ?? Number.POSITIVE_INFINITY) - placed);
    return { before, late, placedMs: placed - asked, contactedMs: Math.max(0, last - placed), deniedMs };
  } finally {
    operator?.end();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function gateOn(store: Store): Gate {
  const loaded = loadPolicies([{ file: "bench.yaml", text: POLICY }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(`the benchmark's policy does not load: ${JSON.stringify(loaded.issues)}`);
  const policies = { current: () => loaded.policies };
  const notifier = { paused: () => undefined };
  return createGate({ store, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier, policies });
}

/** So many calls at any time, each caller with a run of its own, until they have been denied often enough. */
function startLoad(gate: Gate) {
  const contacts: number[] = [];
  let [denied, firstDenied, next] = [0, undefined as number | undefined, 0];
  const reached = new Map<number, () => void>();
  async function caller(): Promise<void> {
    for (let number = 0, run = open(); denied < DENIED_AFTER; number++) {
      if (number % CALLS_OF_A_RUN === 0) run = open();
      const answer = await gate.call(run, { tool: "pay", args: { number: next++ } }, () => {
        contacts.push(epoch());
        reached.get(contacts.length)?.();
        return "paid";
      });
      if (answer.status === "denied") {
        denied++;
        firstDenied ??= epoch();
      }
    }
  }
  const open = () => gate.openRun({ agent: "bench", environment: "prod" });
  const callers = Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return {
    contacts,
    firstDenied: () => firstDenied,
    under: (calls: number) => new Promise<void>((resolve) => reached.set(calls, resolve)),
    over: () => callers,
  };
}

async function claims(store: Store): Promise<{ readonly before: number; readonly late: number }> {
  let [before, late, stopped] = [0, 0, false];
  for (let from = 0; ; ) {
    const page = await store.entries({ from, limit: 1_000 });
    for (const { header } of page) {
      const { type } = parseHeader(header);
      stopped ||= type === "stop.placed";
      if (type !== "call.executing") continue;
      if (stopped) late++;
      else before++;
    }
    from += page.length;
    if (page.length === 0) break;
  }
  if (!stopped) throw new Error("no stop stands in the log");
  return { before, late };
}

interface Operator {
  stop(): Promise<{ readonly asked: number; readonly placed: number }>;
  end(): void;
}

async function startOperator(directory: string): Promise<Operator> {
  const script = path.join(import.meta.dirname, "stopping-process.ts");
  const child: ChildProcess = spawn(process.execPath, [...process.execArgv, script, directory], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout ?? Readable.from([]) })[Symbol.asyncIterator]();
  await lines.next();
  return {
    async stop() {
      child.stdin?.write("stop\n");
      return JSON.parse(String((await lines.next()).value));
    },
    end: () => void child.kill(),
  };
}

/** Ms since 1970, the same for all processes of the machine. */
function epoch(): number {
  return performance.timeOrigin + performance.now();
}
