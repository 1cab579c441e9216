/** Two agents whose names are no plain words, on one store: each is seen, counted, stopped and limited as itself. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Actor,
  type Approver,
  agentId,
  createGate,
  decideApproval,
  type EntryHeader,
  erase,
  liftStops,
  parseHeader,
  RecordedClock,
  runTree,
  stopCalls,
  whatIf,
} from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import {
  createMemoryStore,
  nodeClock,
  nodeHash,
  nodeRandom,
  openReadOnlySqliteStore,
  openSearch,
  openSqliteStore,
  startSearchIndex,
  verifyStoreAndTables,
} from "@saferun/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { shutdown } from "../src/embedded.ts";
import { isDenied, saferun } from "../src/index.ts";

const HELPER = "Refund Helper";
const MAILER = "Lead Mailer ü \u202e<b>";
const ADMIN: Actor = { id: "ann", kind: "person", roles: ["admin"] };
const ANN: Approver = { id: "local:ann", via: "test", verified: false };
const idOf = (name: string): string => agentId(name, nodeHash);

const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
routes: { default: { to: [cli], within: 10m } }
tools:
  look: { kind: read }
  mail: { kind: write }
  refund: { kind: write }
  loop: { kind: read }
rules:
  - { id: look, tool: look, then: allow }
  - { id: loop, tool: loop, then: allow }
  - { id: mail, tool: mail, agent: ["Lead Mailer*", "${HELPER}"], then: allow }
  - { id: helper.refund, tool: refund, agent: "${HELPER}", when: args.amount <= 100, then: allow }
  - { id: ask, tool: refund, when: args.amount > 100, then: pause, approval: { grantable: true }, reason: Large ones. }
budgets:
  - id: mails
    tool: mail
    unit: emails
    per: { key: [agent], window: ever }
    limit: 2
    reason: Two mails are enough.
breakers:
  - { tool: loop, rate: { calls: 3, within: 1h, over: deny, mode: enforce } }
`;

let root: string;
let directory: string;
let store: ReturnType<typeof openSqliteStore>;
/** What ran, at the tools. */
let ran: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-agents-"));
  writeFileSync(join(root, "policies.yaml"), POLICY);
  directory = join(root, "store");
  store = openSqliteStore({ directory });
  ran = [];
});
afterEach(async () => {
  await shutdown();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

function agentCalled(agent: string, more: object = {}) {
  const tool = (name: string) => async (args: object) => {
    ran.push(`${agent}: ${name} ${JSON.stringify(args)}`);
    return "done";
  };
  const tools = { look: tool("look"), mail: tool("mail"), refund: tool("refund"), loop: tool("loop") };
  return saferun.wrap(
    { tools },
    { policies: [join(root, "policies.yaml")], store, environment: "prod", agent, ...more },
  ).tools;
}

async function headers(run?: string): Promise<EntryHeader[]> {
  const entries = await store.entries({ from: 0, limit: 1_000, ...(run === undefined ? {} : { run }) });
  return entries.map((entry) => parseHeader(entry.header));
}

const refused = async (answer: Promise<unknown>): Promise<unknown> => {
  const value = await answer;
  return isDenied(value) && value.rules;
};

it("stand in every header by an id of their own, with their names once in each run", async () => {
  for (const name of [HELPER, MAILER, "support"]) {
    const { look } = agentCalled(name);
    expect(await saferun.run({ id: `run_${name.length}` }, () => look({ n: 1 }))).toBe("done");
  }
  for (const name of [HELPER, MAILER, "support"]) {
    const id = `run_${name.length}`;
    expect((await store.run(id))?.agent).toBe(idOf(name));
    const said = await headers(id);
    expect(said.map(({ agent }) => agent)).toEqual(said.map(() => idOf(name)));
    const entries = await store.entries({ from: 0, limit: 100, run: id });
    const parts = entries.flatMap(({ parts }) => parts.filter((part) => part.name === "agent"));
    expect(parts.map(({ bytes }) => new TextDecoder().decode(bytes ?? undefined))).toEqual(
      name === "support" ? [] : [JSON.stringify(name)],
    );
    const tree = runTree(id, entries);
    expect([tree.agent, ...tree.steps.map(({ agent }) => agent)]).toEqual([name, name]);
  }
});

it("[B6~] a stop names one of them, and stops it alone", async () => {
  const names = [HELPER, MAILER, "Refund", "Refund Helper ", "refund helper", idOf(HELPER)];
  const agents = names.map((name) => agentCalled(name));
  const ports = { store, clock: nodeClock, random: nodeRandom };
  const stop = await stopCalls(ports, { scope: { agent: HELPER, tool: null, run: null }, reason: "wrong", by: ADMIN });
  for (const { look } of agents) await look({ n: 1 });
  expect(ran).toEqual(names.filter((name) => name !== HELPER).map((name) => `${name}: look {"n":1}`));
  await liftStops(ports, { id: stop.ok ? (stop.id ?? "") : "", reason: "fixed", by: ADMIN });
  await agents[0]?.look({ n: 2 });
  expect(ran.at(-1)).toBe(`${HELPER}: look {"n":2}`);
});

it("[B3~] rules name them by their names, budgets and rates count each of them alone", async () => {
  const [helper, mailer] = [agentCalled(HELPER), agentCalled(MAILER)];
  expect(await helper.refund({ amount: 7 })).toBe("done");
  expect(isDenied(await mailer.refund({ amount: 7 }))).toBe(true);
  for (const to of ["a", "b"]) expect(await helper.mail({ to })).toBe("done");
  expect(await refused(helper.mail({ to: "c" }))).toEqual(["budget:mails"]);
  for (const to of ["a", "b"]) expect(await mailer.mail({ to })).toBe("done");
  expect(await refused(mailer.mail({ to: "c" }))).toEqual(["budget:mails"]);
  for (const n of [1, 2, 3]) expect(await helper.loop({ n })).toBe("done");
  expect(await refused(helper.loop({ n: 4 }))).toEqual([expect.stringContaining("rate")]);
  expect(await mailer.loop({ n: 1 })).toBe("done");
  expect(ran.filter((line) => line.includes("mail {"))).toHaveLength(4);
  expect(ran.filter((line) => line.includes("loop {"))).toHaveLength(4);
});

it("what one of them has recorded is not counted as the other's", async () => {
  const quota = { agentBytesPerDay: 20_000, runBytes: 1e9 };
  const [helper, mailer] = [agentCalled(HELPER, { quota }), agentCalled(MAILER, { quota })];
  let calls = 0;
  const text = "x".repeat(4_000);
  while ((await helper.look({ n: calls, text })) === "done") calls++;
  expect(calls).toBeGreaterThan(1);
  const before = ran.length;
  expect(await refused(helper.look({ n: "again", text }))).toEqual(["record.quota"]);
  expect(ran).toHaveLength(before);
  expect(await mailer.look({ n: 1 })).toBe("done");
});

it("[A11~] a grant to one is none to the other in the same run, and the record agrees with its row", async () => {
  const [helper, mailer] = [agentCalled(HELPER, { maxWait: 0 }), agentCalled(MAILER, { maxWait: 0 })];
  await saferun.run({ id: "run_1" }, async () => {
    await helper.refund({ amount: 500, to: "ann" });
    const [asked] = await store.approvals({ state: "pending", limit: 1 });
    const grant = { same: ["to"], forMs: 600_000, count: 3 };
    const ports = { store, clock: nodeClock, random: nodeRandom, hash: nodeHash };
    await decideApproval(ports, { approval: asked?.id ?? "", verdict: "approve", by: ANN, grant });
    expect(await mailer.refund({ amount: 501, to: "ann" })).toMatchObject({ status: "pending" });
    expect(await helper.refund({ amount: 501, to: "ann" })).toBe("done");
  });
  expect(ran).toEqual([`${HELPER}: refund {"amount":501,"to":"ann"}`]);
  await store.close();
  const read = openReadOnlySqliteStore({ directory });
  expect((await verifyStoreAndTables(read)).faults).toEqual([]);
  await read.close();
  store = openSqliteStore({ directory });
});

it("[R3~] questions to models are judged again as those of the agent that asked them", async () => {
  const loaded = (text: string) => {
    const policies = loadPolicies([{ file: "p.yaml", text: `saferun: policy/v1\n${text}` }], { hash: nodeHash });
    if (!policies.ok) throw new Error(JSON.stringify(policies.issues));
    return policies.policies;
  };
  const open = "environments: { prod: { unmatched: allow } }\nrules: []\n";
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier: { paused: () => {} } };
  const gate = createGate({ ...ports, policies: { current: () => loaded(open) } });
  const budget = (agent: string) => `${open}budgets:
  - { id: asks, model: "*", agent: "${agent}", unit: calls, per: { key: [agent], window: ever }, limit: 1, reason: Once. }
`;
  const bound = { usdMicros: 1n, tokens: 1n };
  const run = gate.openRun({ agent: HELPER, environment: "prod" });
  for (let asked = 0; asked < 2; asked++) {
    const ticket = await gate.model.request(run, { model: "m", messages: [], settings: null, bound, prices: null });
    await gate.model.response(run, ticket, null, { usdMicros: 1n, tokens: 1n });
  }
  const entries = await store.entries({ from: 0, limit: 100 });
  for (const [agent, verdicts] of [
    [HELPER, ["allow", "deny"]],
    ["Refund*", ["allow", "deny"]],
    ["agent_*", ["allow", "allow"]],
  ] as const) {
    const clock = new RecordedClock();
    const judging = { store: createMemoryStore({ clock }), clock, hash: nodeHash, random: nodeRandom };
    const { judged } = await whatIf(run.id, entries, { ...judging, policies: loaded(budget(agent)) });
    expect([agent, judged.map(({ after }) => after.verdict)]).toEqual([agent, verdicts]);
  }
});

it("[L4~] search finds what each did by name, by pattern and by id, and after an erasure by no word of the name", async () => {
  for (const name of [HELPER, MAILER, "support"]) {
    const { look } = agentCalled(name);
    await saferun.run({ id: `run_${name.length}` }, () => look({ n: 1 }));
  }
  const found = async (query: string): Promise<string[]> => {
    const search = await openSearch({ directory });
    const { items } = search.search({ query: `${query} type:call.finished`, limit: 10, order: "oldest", now: 0 });
    search.close();
    return items.map(({ entries }) => parseHeader(entries[0]?.header ?? new Uint8Array()).run?.id ?? "");
  };
  const [helper, mailer, support] = [HELPER, MAILER, "support"].map((name) => `run_${name.length}`);
  expect(await found(`agent:"${HELPER}"`)).toEqual([helper]);
  expect(await found(`agent:"${MAILER}"`)).toEqual([mailer]);
  expect(await found(`agent:${idOf(HELPER)}`)).toEqual([helper]);
  expect(await found("agent:Refund*")).toEqual([helper]);
  expect(await found("agent:*er*")).toEqual([helper, mailer]);
  expect(await found("agent:s*")).toEqual([support]);
  expect(await found(`-agent:"${HELPER}"`)).toEqual([mailer, support]);
  expect(await found('agent:"refund helper"')).toEqual([]);
  // A phrase is looked up in the content itself, not in the index.
  expect(await found(`agent:"${HELPER}" "look" OR agent:Refund* args.n:1`)).toEqual([helper]);
  const { entries } = await erase(
    store,
    { target: { run: helper ?? "" }, reason: "asked for", by: "local:ann" },
    { hash: nodeHash, random: nodeRandom },
  );
  expect(entries.length).toBeGreaterThan(0);
  const index = startSearchIndex({ directory });
  await index.forget(entries);
  await index.close();
  expect(await found("agent:Refund*")).toEqual([]);
  expect(await found(`agent:"${HELPER}"`)).toEqual([helper]);
});
