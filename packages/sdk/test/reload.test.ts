/** Policies that follow their files, on real directories: what is in force is seen in what a counted tool does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createGate,
  type Decision,
  type EvaluationContext,
  type JsonObject,
  normalize,
  type PolicySet,
  parseHeader,
  type Store,
  type StoredEntry,
} from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { createMemoryStore, nodeClock, nodeHash, nodeRandom, nodeStamp } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isDenied, saferun } from "../src/index.ts";
import { type Reload, reloadingPolicies } from "../src/reload.ts";

const text = (limit: number, tests = "") => `saferun: policy/v1
environments:
  prod: { unmatched: deny }
tools:
  refund: { kind: write }
rules:
  - { id: small, tool: refund, when: args.amount <= ${limit}, then: allow }
${tests}`;

const DENIES = `saferun: policy/v1
rules:
  - { id: never, tool: refund, then: deny }
`;

let directory = "";
let reload: Reload;
let store: Store;
let warnings: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-reload-"));
  store = createMemoryStore();
  warnings = [];
});

afterEach(() => {
  reload?.close();
  rmSync(directory, { recursive: true, force: true });
});

const at = (...names: string[]) => join(directory, ...names);

/** Told by the system alone, unless dates are compared every so often. */
function follow(path: string, everyMs = 1_000_000): Reload {
  reload = reloadingPolicies({
    source: { paths: [path], directory, mode: "observe", hash: nodeHash, warn: (message) => warnings.push(message) },
    record: (entry) => store.commit({ entries: [entry] }),
    random: nodeRandom,
    quietMs: 10,
    everyMs,
  });
  return reload;
}

const CONTEXT: EvaluationContext = {
  agent: "agent",
  environment: "prod",
  principal: { id: "", kind: "none", roles: [], labels: {} },
  context: {},
  run: { id: "run_1", prompted: false, untrusted: false, turn: 0 },
  call: { id: "call_1", depth: 0, attempt: 1 },
  now: 0,
};

/** The largest amount of those given that is allowed now; undefined where none is. */
function allowed(...amounts: number[]): number | undefined {
  return amounts.findLast((amount) => judged(reload.current(), { amount }).verdict === "allow");
}

function judged(policies: PolicySet, args: JsonObject, context = CONTEXT): Decision {
  const { agent, environment } = context;
  const normal = normalize({ tool: "refund", args, agent, environment }, nodeHash);
  if (!normal.ok) throw new Error(normal.malformed.message);
  return policies.evaluate(normal.call, context);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5);
}

async function entries(): Promise<readonly StoredEntry[]> {
  const all: StoredEntry[] = [];
  for (;;) {
    const page = await store.entries({ from: all.length, limit: 10_000 });
    all.push(...page);
    if (page.length === 0) return all;
  }
}

async function recorded(...types: string[]): Promise<readonly string[]> {
  const found = (await entries()).map(({ header }) => parseHeader(header).type as string);
  return found.filter((type) => types.includes(type));
}

/** As editors and deployments write: a new file in the place of the old one. */
function replace(name: string, content: string): void {
  writeFileSync(at(`.${name}.tmp`), content);
  renameSync(at(`.${name}.tmp`), at(name));
}

const WRITES: readonly ((content: string) => void)[] = [
  (content) => writeFileSync(at("a.yaml"), content),
  (content) => replace("a.yaml", content),
  (content) => {
    unlinkSync(at("a.yaml"));
    writeFileSync(at("a.yaml"), content);
  },
];

describe("under load", () => {
  it("a hundred reloads: no call fails, and each decision is that of the revision that it names [P9~]", async () => {
    const busy = (limit: number) => text(limit, "breakers: [{ rate: { calls: 10000 } }]\n");
    writeFileSync(at("a.yaml"), busy(0));
    follow("a.yaml");
    const notifier = { paused: () => undefined };
    const ports = { store, policies: reload, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier };
    const gates = [createGate(ports), createGate(ports)];
    const statuses = new Map<string, number>();
    let ran = 0;
    let stop = false;
    const load = Array.from({ length: 8 }, async (_, index) => {
      const gate = gates[index % 2];
      for (let call = 0; !stop && gate !== undefined; call++) {
        // One run of so many denials would be stopped.
        const run = gate.openRun({ agent: "agent", environment: "prod" });
        const answer = await gate.call(run, { tool: "refund", args: { amount: call % 120 } }, () => ++ran);
        const status = answer.status === "denied" ? answer.denial.status : answer.status;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await sleep(1);
      }
    });
    const revisions = new Map([[reload.current().revision, compiled(busy(0))]]);
    for (let limit = 1; limit <= 100; limit++) {
      const policies = compiled(busy(limit));
      revisions.set(policies.revision, policies);
      WRITES[limit % WRITES.length]?.(busy(limit));
      await until(() => reload.current().revision === policies.revision);
    }
    stop = true;
    await Promise.all(load);

    expect([...statuses.keys()].sort()).toEqual(["denied", "ran"]);
    expect(warnings).toEqual([]);
    let decisions = 0;
    let inForce = "";
    const activated: string[] = [];
    const proposed = new Map<string, JsonObject>();
    for (const { header, parts } of await entries()) {
      const { type, call = "", revision = "" } = parseHeader(header);
      const part = JSON.parse(new TextDecoder().decode(parts[0]?.bytes ?? undefined) || "null");
      if (type === "policy.activated") {
        inForce = revision;
        activated.push(revision);
      }
      if (type === "call.proposed") proposed.set(call, part);
      if (type !== "call.decided") continue;
      decisions++;
      const policies = revisions.get(revision);
      expect(revision).toBe(inForce);
      expect(policies && judged(policies, proposed.get(call) ?? {}, part.context)).toEqual(part.decision);
    }
    expect(decisions).toBe([...statuses.values()].reduce((sum, count) => sum + count, 0));
    expect(statuses.get("ran")).toBe(ran);
    expect(activated.toSorted()).toEqual([...revisions.keys()].toSorted());
  }, 120_000);
});

function compiled(content: string): PolicySet {
  const loaded = loadPolicies([{ file: "a.yaml", text: content }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  return loaded.policies;
}

describe("a change comes into force, whoever writes the file", () => {
  it.each([...WRITES.entries()])("written in way %i [P9~]", async (_, write) => {
    writeFileSync(at("a.yaml"), text(1));
    follow("a.yaml");
    for (const limit of [5, 7, 9]) {
      write(text(limit));
      await until(() => allowed(5, 7, 9) === limit);
    }
    expect(warnings).toEqual([]);
    expect(await recorded("policy.activated")).toHaveLength(3);
  });

  it("by a swap of Kubernetes' `..data` link, and of a link that leads elsewhere", async () => {
    for (const version of ["1", "2", "3"]) {
      mkdirSync(at(`..${version}`));
      writeFileSync(at(`..${version}`, "a.yaml"), text(Number(version)));
    }
    symlinkSync("..1", at("..data"));
    symlinkSync(join("..data", "a.yaml"), at("a.yaml"));
    mkdirSync(at("mounted"));
    symlinkSync(at("a.yaml"), at("mounted", "b.yaml"));
    follow("mounted/b.yaml", 30);
    for (const version of [2, 3]) {
      symlinkSync(`..${version}`, at("..data_tmp"));
      renameSync(at("..data_tmp"), at("..data"));
      await until(() => allowed(1, 2, 3) === version);
    }
    expect(warnings).toEqual([]);
  });

  it("by a new file that a glob names, in a new folder too", async () => {
    mkdirSync(at("policies"));
    writeFileSync(at("policies", "a.yaml"), text(5));
    follow("policies/**/*.yaml");
    expect(allowed(5)).toBe(5);
    mkdirSync(at("policies", "team"));
    writeFileSync(at("policies", "team", "b.yaml"), DENIES);
    await until(() => allowed(5) === undefined);
    writeFileSync(at("policies", "team", "b.yaml"), DENIES.replace("deny", "pause"));
    await until(() => judged(reload.current(), { amount: 5 }).verdict === "pause");
    expect(warnings).toEqual([]);
  });

  it("by a schema that a policy file names, and half of one is refused", async () => {
    const schema = (maximum: number) =>
      JSON.stringify({ type: "object", properties: { amount: { type: "integer", maximum } }, required: ["amount"] });
    mkdirSync(at("schemas"));
    writeFileSync(at("schemas", "refund.json"), schema(3));
    writeFileSync(at("a.yaml"), text(9).replace("kind: write", "kind: write, schema: ./schemas/refund.json"));
    follow("a.yaml");
    expect(allowed(3, 5, 9)).toBe(3);
    writeFileSync(at("schemas", "refund.json"), schema(5));
    await until(() => allowed(3, 5, 9) === 5);
    writeFileSync(at("schemas", "refund.json"), schema(9).slice(0, 30));
    await until(() => warnings.length > 0);
    expect(warnings[0]).toMatch(/a\.yaml:5:\d+: .*refund\.json/);
    expect(allowed(3, 5, 9)).toBe(5);
    writeFileSync(at("schemas", "refund.json"), schema(9));
    await until(() => allowed(3, 5, 9) === 9);
  });

  it("in a directory that was itself replaced", async () => {
    mkdirSync(at("policies"));
    writeFileSync(at("policies", "a.yaml"), text(1));
    follow("policies/a.yaml", 30);
    for (const limit of [5, 7]) {
      mkdirSync(at("next"));
      writeFileSync(at("next", "a.yaml"), text(limit));
      renameSync(at("policies"), at(`policies-${limit}`));
      renameSync(at("next"), at("policies"));
      await until(() => allowed(5, 7) === limit);
    }
  });

  it("and a comment or the same content again is no new revision", async () => {
    writeFileSync(at("a.yaml"), text(5));
    const { revision } = follow("a.yaml").current();
    reload.named.revision = revision;
    replace("a.yaml", `${text(5)}# nothing\n`);
    replace("b.yaml", "not a policy, and nobody names it");
    await sleep(150);
    expect(reload.current().revision).toBe(revision);
    expect(await recorded("policy.activated", "policy.rejected")).toEqual([]);
  });
});

const TESTED = `tests:
  - name: four passes
    call: { tool: refund, args: { amount: 4 } }
    expect: allow
`;

describe("the last good set stays in force, everyone is told, and the next good one is taken (trap 5)", () => {
  const broken: readonly (readonly [string, () => void, RegExp])[] = [
    ["invalid", () => replace("a.yaml", text(9).replace("then: allow", "then: alow")), /a\.yaml:7:\d+: .*`alow`/],
    ["half of it", () => replace("a.yaml", text(9).slice(0, -25)), /a\.yaml:7:\d+: /],
    ["empty", () => replace("a.yaml", ""), /a\.yaml:1:1: /],
    ["no text", () => writeFileSync(at("a.yaml"), new Uint8Array([0xff, 0xfe])), /a\.yaml:1:1: .*no UTF-8/],
    ["deleted", () => unlinkSync(at("a.yaml")), /a\.yaml:1:1: there is no such file in `/],
    ["a directory", becomesDirectory, /a\.yaml:1:1: .*EISDIR/],
    [
      "with a test that fails",
      () => replace("a.yaml", text(3, TESTED)),
      /a\.yaml:9:\d+: .*`four passes` fails: expected allow, got deny/,
    ],
  ];

  function becomesDirectory(): void {
    unlinkSync(at("a.yaml"));
    mkdirSync(at("a.yaml"));
  }

  it.each(broken)("%s [P9~] [P11~]", async (_, breaks, told) => {
    writeFileSync(at("a.yaml"), text(5, TESTED));
    const { revision } = follow("a.yaml").current();
    breaks();
    await until(() => warnings.length > 0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`revision ${revision.slice(0, 12)} stays in force`);
    expect(warnings[0]).toMatch(told);
    expect(reload.current().revision).toBe(revision);
    expect(allowed(3, 5, 9)).toBe(5);
    expect(await recorded("policy.activated", "policy.rejected")).toEqual(["policy.rejected"]);
    const [entry] = await entries();
    expect(new TextDecoder().decode(entry?.parts[0]?.bytes ?? undefined)).toMatch(/"code":"policy\.(invalid|missing)"/);
    rmSync(at("a.yaml"), { recursive: true, force: true });
    writeFileSync(at("a.yaml"), text(7, TESTED));
    await until(() => allowed(5, 7) === 7);
    expect(await recorded("policy.activated", "policy.rejected")).toEqual(["policy.rejected", "policy.activated"]);
  });

  it("and the same files again end it, under the same revision", async () => {
    writeFileSync(at("a.yaml"), text(5));
    follow("a.yaml");
    replace("a.yaml", "broken");
    await until(() => warnings.length === 1);
    replace("a.yaml", text(5));
    await until(async () => (await recorded("policy.activated")).length === 1);
    expect(allowed(5)).toBe(5);
  });

  it("one file of a glob that vanishes takes its denials away, so that it is refused", async () => {
    writeFileSync(at("a.yaml"), text(5));
    writeFileSync(at("b.yaml"), DENIES);
    follow("*.yaml");
    unlinkSync(at("b.yaml"));
    await until(() => warnings.length > 0);
    expect(warnings[0]).toContain("`b.yaml` is in force and is gone");
    expect(allowed(5)).toBeUndefined();
  });

  it("a file that is written in pieces comes into force whole", async () => {
    writeFileSync(at("a.yaml"), text(5));
    follow("a.yaml");
    // Each piece could be read as a policy of its own; the last one holds the denial.
    const file = openSync(at("a.yaml"), "w");
    for (const piece of [
      text(50),
      "  - { id: a, tool: refund, when: args.amount < 0, then: deny }\n",
      "  - { id: b, tool: refund, then: deny }\n",
    ]) {
      writeSync(file, piece);
      await sleep(2);
      expect(allowed(5, 50)).not.toBe(50);
    }
    await until(() => allowed(5) === undefined);
    expect(warnings).toEqual([]);
  });
});

describe("saferun.wrap", () => {
  const home = process.cwd();
  beforeEach(() => process.chdir(directory));
  afterEach(async () => {
    await saferun.shutdown();
    process.chdir(home);
  });

  it("follows its files: an edit stops the next call, and wraps of the same files share one set [P9~]", async () => {
    writeFileSync(at("a.yaml"), text(5));
    let ran = 0;
    const wrap = () =>
      saferun.wrap(
        async function refund(_: { amount: number }) {
          ran++;
        },
        { policies: ["a.yaml"], store, environment: "prod" },
      );
    const [one, two] = [wrap(), wrap()];
    await one({ amount: 5 });
    replace("a.yaml", text(1));
    await until(async () => isDenied(await one({ amount: 5 })));
    const before = ran;
    expect(isDenied(await two({ amount: 5 }))).toBe(true);
    expect(await recorded("policy.activated")).toHaveLength(2);
    // A broken file on disk does not stop a wrap that is made now: the last good set is in force.
    replace("a.yaml", "broken");
    expect(isDenied(await wrap()({ amount: 5 }))).toBe(true);
    expect(ran).toBe(before);
  });

  it("[P9] takes a good edit and refuses a bad one, tells why, and names the revision of each decision", async () => {
    writeFileSync(at("a.yaml"), text(5, TESTED));
    const ran: number[] = [];
    const told = new Promise<Error>((resolve) => process.once("warning", resolve));
    const refund = saferun.wrap(
      async function refund({ amount }: { amount: number }) {
        ran.push(amount);
      },
      { policies: ["a.yaml"], store, environment: "prod" },
    );
    await refund({ amount: 9 });
    replace("a.yaml", text(9, TESTED));
    await until(async () => !isDenied(await refund({ amount: 9 })));
    replace("a.yaml", text(3, TESTED));
    expect((await told).message).toMatch(/stays in force:\na\.yaml:9:\d+: .*`four passes` fails/);
    await refund({ amount: 9 });
    await refund({ amount: 10 });
    expect(ran).toEqual([9, 9]);
    const revisions = [compiled(text(5)).revision, compiled(text(9)).revision];
    const found = (await entries()).map(({ header }) => parseHeader(header));
    const policies = found.filter(({ type }) => type.startsWith("policy."));
    expect(policies.map(({ type, revision }) => `${type} ${revision}`)).toEqual([
      `policy.activated ${revisions[0]}`,
      `policy.activated ${revisions[1]}`,
      `policy.rejected ${revisions[1]}`,
    ]);
    for (const [index, { type, revision, verdict }] of found.entries()) {
      if (type !== "call.decided") continue;
      const inForce = found.slice(0, index).findLast((entry) => entry.type === "policy.activated")?.revision;
      expect([revision, verdict]).toEqual([inForce, expect.stringMatching(/^(allow|deny)$/)]);
    }
  });

  it("names the runtime's tables beside each revision, at the start and after an edit", async () => {
    writeFileSync(at("a.yaml"), text(5));
    const refund = saferun.wrap(async function refund() {}, { policies: ["a.yaml"], store, environment: "prod" });
    await refund({ amount: 1 });
    replace("a.yaml", text(9));
    await until(async () => (await recorded("policy.activated")).length === 2);
    const activated = (await entries()).filter(({ header }) => parseHeader(header).type === "policy.activated");
    const named = activated.map(({ parts }) => parts.map(({ name, bytes }) => [name, partText(bytes)]));
    const stamp = expect.stringContaining(`"calendar":"${nodeStamp.calendar}"`);
    expect(named).toEqual([[["runtime", stamp]], [["runtime", stamp]]]);
  });

  it("keeps no process alive", async () => {
    writeFileSync(at("a.yaml"), text(5));
    const program = `
      const { saferun } = await import(${JSON.stringify(import.meta.resolve("../src/index.ts"))});
      const refund = saferun.wrap(async function refund() {}, { policies: ["a.yaml"], store: "record" });
      await refund({ amount: 1 });
      console.log("done");
    `;
    const child = spawn(process.execPath, [...process.execArgv, "--input-type=module", "-e", program], {
      cwd: directory,
      env: { ...process.env, SAFERUN_STATE_DIR: at("state") },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    expect(await once(child, "close")).toEqual([0, null]);
    expect(printed).toBe("done\n");
  });
});

function partText(bytes: Uint8Array | null): string {
  return new TextDecoder().decode(bytes ?? undefined);
}
