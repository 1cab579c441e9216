/** The three lines, on a real store in a directory of its own. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SafeRunError } from "@saferun/core";
import { createMemoryStore, openSqliteStore } from "@saferun/store";
import { jsonSchema, ToolLoopAgent } from "ai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { isDenied, type PausedCall, saferun } from "../src/index.ts";
import { scriptedModel, sdkTools } from "./subjects.ts";
import { typesOf, world } from "./world.ts";

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
  dev: { unmatched: deny, mode: observe }
routes:
  default: { to: [cli], within: 10m }
tools:
  refund: { kind: write }
rules:
  - { id: small, tool: refund, when: args.amount <= 100, then: allow }
  - { id: ask, tool: refund, when: args.amount > 100, then: pause, approval: { route: default } }
`;

const home = process.cwd();
let directory = "";
let ran: unknown[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-sdk-"));
  mkdirSync(join(directory, "project"), { mode: 0o700 });
  process.chdir(join(directory, "project"));
  process.env.SAFERUN_STATE_DIR = join(directory, "state");
  process.env.SAFERUN_ENV = "prod";
  writeFileSync("policies.yaml", POLICIES);
  ran = [];
});

afterEach(async () => {
  await saferun.shutdown();
  process.chdir(home);
  rmSync(directory, { recursive: true, force: true });
});

async function refund(args: { amount: number }): Promise<{ refunded: number }> {
  ran.push(args);
  return { refunded: args.amount };
}

const policies = ["./policies.yaml"];

describe("the gate's own files (a rule that no policy lifts)", () => {
  it("an agent that may write files does not write its policies, nor its record", async () => {
    writeFileSync(
      "policies.yaml",
      "saferun: policy/v1\nenvironments: { prod: { unmatched: { destructive: allow } } }\n",
    );
    const write = saferun.wrap(
      async function write(args: { path: string }) {
        ran.push(args);
      },
      { policies },
    );
    const own = [
      "policies.yaml",
      "./.saferun/log.db",
      join(process.cwd(), "x/../policies.yaml"),
      join(directory, "state"),
    ];
    for (const path of own) expect(await write({ path })).toMatchObject({ denied: true, rules: ["gate.protected"] });
    await write({ path: "notes.txt" });
    expect(ran).toEqual([{ path: "notes.txt" }]);
  });
});

describe("what is said on the terminal", () => {
  it("says of an environment that is only observed that no rule stops anything there", async () => {
    const said: string[] = [];
    const listen = (warning: Error) => said.push(warning.message);
    process.on("warning", listen);
    await saferun.wrap(refund, { policies, environment: "prod" })({ amount: 5 });
    await saferun.wrap(refund, { policies, environment: "dev", mode: "enforce" })({ amount: 5 });
    expect(said.join("")).not.toContain("observe");
    await saferun.wrap(refund, { policies, environment: "dev" })({ amount: 5 });
    await expect.poll(() => said.join(""), { timeout: 20_000 }).toContain("only observe `dev`");
    process.off("warning", listen);
  });

  it("names the policy file that was meant, or how to get a first one", () => {
    const wrapping = (file: string) => () => saferun.wrap(refund, { policies: [file] });
    expect(wrapping("./policy.yaml")).toThrow(/there is no such file in .*; did you mean `policies.yaml`\?/);
    expect(wrapping("./elsewhere/rules.yaml")).toThrow("`npx saferun init` writes a first one");
  });

  it("carries no control characters of others", async () => {
    const said: string[] = [];
    const listen = (warning: Error) => said.push(warning.message);
    process.on("warning", listen);
    const onPause = () => {
      throw new Error("\u001b[2Jgone\u202e\rfake");
    };
    const tool = saferun.wrap(refund, { policies, onPause });
    const controller = new AbortController();
    const answer = tool({ amount: 450 }, { signal: controller.signal });
    await expect.poll(() => said.length, { timeout: 20_000 }).toBeGreaterThan(0);
    controller.abort();
    expect(await answer).toMatchObject({ denied: true });
    process.off("warning", listen);
    expect(said.join("")).toContain("gone");
    expect(said.join("")).not.toMatch(/[\u001b\r\u202e]/);
    expect(ran).toEqual([]);
  });
});

describe("a run that is taken up again", () => {
  it("under its id, a call id that ran does not run again, in another opening of the store either (trap 15)", async () => {
    const again = async () => {
      const tool = saferun.wrap(refund, { policies });
      return saferun.run({ id: "ticket-7" }, () => tool({ amount: 45 }, { toolCallId: "call-1" }));
    };
    expect(await again()).toEqual({ refunded: 45 });
    await saferun.shutdown();
    expect(await again()).toMatchObject({ denied: true, rules: ["call.repeated"] });
    expect(ran).toEqual([{ amount: 45 }]);
  });

  it.each(["", "a b", "x".repeat(129), 7])("refuses the run id %j", (id) => {
    expect(() => saferun.run({ id: id as string }, () => 1)).toThrow(/run\.id/);
  });
});

describe("the framework's own schemas [P5]", () => {
  const schema = { type: "object", properties: { amount: { type: "integer", maximum: 1000 } }, required: ["amount"] };
  const forms: readonly (readonly [string, unknown])[] = [
    ["the AI SDK's jsonSchema", jsonSchema(schema as never)],
    ["zod", z.object({ amount: z.int().max(1000) })],
    ["zod with a default and a transformation inside", z.object({ amount: z.int().max(1000).default(5) })],
  ];

  it.each(forms)("%s: what does not fit never runs, what fits does", async (_name, inputSchema) => {
    const tools = { refund: { inputSchema, execute: refund } };
    const agent = saferun.wrap({ tools }, { policies });
    expect(await agent.tools.refund.execute({ amount: 45 })).toEqual({ refunded: 45 });
    for (const args of [{ amount: "45" }, { amount: 45.5 }, { amount: 2000 }, { amount: 45, to: "mallory" }, {}]) {
      const answer = await agent.tools.refund.execute(args as { amount: number });
      expect(answer).toMatchObject({ denied: true, rules: ["schema:refund"] });
    }
    expect(ran).toEqual([{ amount: 45 }]);
  });

  it("finds rules that speak of arguments which the tool does not have", () => {
    const tools = { refund: { inputSchema: z.object({ amont: z.int() }), execute: refund } };
    expect(() => saferun.wrap({ tools }, { policies })).toThrow(/policies\.yaml:9:.*`args\.amount`|unknown-arg/s);
  });

  it.each([
    ["a transformation", z.object({ amount: z.string().transform(Number) })],
    [
      "a schema that the gate cannot check in full",
      jsonSchema({ type: "object", contentMediaType: "x", dependentRequired: { a: ["b"] } } as never),
    ],
    ["no schema at all", undefined],
    [
      "a schema that throws",
      {
        get jsonSchema() {
          throw new Error("boo");
        },
      },
    ],
  ])("%s is left to the framework, and the rules hold all the same", async (_name, inputSchema) => {
    const agent = saferun.wrap({ tools: { refund: { inputSchema, execute: refund } } }, { policies });
    expect(await agent.tools.refund.execute({ amount: 45 })).toEqual({ refunded: 45 });
    expect(await agent.tools.refund.execute({ amount: "1,000" } as never)).toMatchObject({ denied: true });
    expect(ran).toEqual([{ amount: 45 }]);
  });
});

describe("the current call", () => {
  it("gives a tool its idempotency key, and nothing outside of a tool", async () => {
    const keys: (string | undefined)[] = [];
    const pay = async function pay(args: { amount: number }) {
      keys.push(saferun.currentCall()?.idempotencyKey);
      return args.amount;
    };
    writeFileSync("policies.yaml", POLICIES.replaceAll("refund", "pay"));
    const tool = saferun.wrap(pay, { policies });
    await tool({ amount: 1 });
    await tool({ amount: 1 });
    expect(saferun.currentCall()).toBeUndefined();
    expect(keys.every((key) => /^call_[0-9a-f]{32}$/.test(key ?? ""))).toBe(true);
    expect(new Set(keys).size).toBe(2);
  });
});

describe("the three lines", () => {
  it("work as written, with a durable record and no set-up [G1]", async () => {
    const w = world();
    const model = scriptedModel([[{ tool: "refund", args: { amount: 450 } }]]);
    const myAgent = new ToolLoopAgent({ model, tools: sdkTools(w) });
    const cards: string[] = [];
    const slack = {
      notify: async (channel: string, a: PausedCall) => {
        cards.push(`${channel} ${a.tool} ${JSON.stringify(a.args)} ${a.reasons[0]?.rule}`);
        await a.approve({ by: "ann" });
      },
    };
    const agent = saferun.wrap(myAgent, {
      policies: ["./policies.yaml"],
      onPause: async (a) => slack.notify("#ops-approvals", a),
    });
    const { text } = await agent.generate({ prompt: "refund order 7" });
    expect(text).toBe("done");
    expect(agent).toBeInstanceOf(ToolLoopAgent);
    expect(cards).toEqual(['#ops-approvals refund {"amount":450} ask']);
    expect(w.ran).toEqual([{ tool: "refund", args: { amount: 450 } }]);
    await saferun.shutdown();
    const store = openSqliteStore({ directory: ".saferun" });
    const entries = await store.entries({ from: 0, limit: 100 });
    expect(typesOf(entries)).toEqual([
      "log.opened",
      "policy.activated",
      "run.started",
      "model.requested",
      "model.responded",
      "call.proposed",
      "call.decided",
      "approval.requested",
      "approval.decided",
      "call.decided",
      "approval.consumed",
      "call.executing",
      "call.finished",
      "model.requested",
      "model.responded",
    ]);
    expect((await store.checkpoints()).at(-1)?.size).toBe(entries.length);
    await store.close();
  });

  it("gate a single function, whose denial is a value", async () => {
    const gated = saferun.wrap(refund, { policies });
    expect(await gated({ amount: 5 })).toEqual({ refunded: 5 });
    const denied = await saferun.wrap(
      async function drop(args: object) {
        ran.push(args);
      },
      { policies },
    )({});
    expect(isDenied(denied) && denied.rules).toEqual(["unmatched:prod"]);
    expect(ran).toEqual([{ amount: 5 }]);
  });

  it("gate what is no object of arguments away, and nothing passes beside them", async () => {
    const gated = saferun.wrap(refund, { policies });
    await expect(gated({ amount: 5 }, { amount: 5_000 } as never)).rejects.toThrow("second argument");
    expect(isDenied(await gated(5 as never))).toBe(true);
    expect(() => saferun.wrap((a: object, b: object, c: object) => [a, b, c], { policies })).toThrow(SafeRunError);
    expect(ran).toEqual([]);
  });

  it("see that their caller gave up by a signal of another realm, and take no signal that is none", async () => {
    const asked = Promise.withResolvers<PausedCall>();
    const gated = saferun.wrap(refund, { policies, onPause: asked.resolve });
    const foreign = Object.assign(new EventTarget(), { aborted: false });
    const answer = gated({ amount: 500 }, { signal: foreign as never });
    const call = await asked.promise;
    foreign.aborted = true;
    await call.approve();
    expect(isDenied(await answer)).toBe(true);
    await expect(gated({ amount: 5 }, { signal: { aborted: true } as never })).rejects.toThrow("signal that is none");
    expect(ran).toEqual([]);
  });

  it("share one store, and are denied once it is closed [L1~]", async () => {
    const [one, two] = [saferun.wrap(refund, { policies }), saferun.wrap(refund, { policies })];
    await Promise.all([one({ amount: 1 }), two({ amount: 2 })]);
    expect(readdirSync(".saferun")).toContain("log.db");
    await saferun.shutdown();
    const after = await one({ amount: 3 });
    expect(isDenied(after) && after.status).toBe("unavailable");
    expect(ran).toHaveLength(2);
  });

  it("record facts of `saferun.run`, under the name of its agent", async () => {
    const store = createMemoryStore();
    const gated = saferun.wrap(refund, { policies, store });
    await saferun.run({ principal: { id: "user-7" }, context: { tenant: "acme" }, agent: "support" }, async () => {
      await gated({ amount: 1 });
      await gated({ amount: 2 });
    });
    const runs = await store.runs({ limit: 10 });
    expect(runs.map(({ agent }) => agent)).toEqual(["support"]);
  });
});

describe("options that change an outcome (trap 4)", () => {
  it("`run` as a function is asked once a run, and its facts reach the rules", async () => {
    writeFileSync(
      "principal.yaml",
      "saferun: policy/v1\ncontext: { region: string }\nrules:\n  - { id: eu, tool: refund, when: context.region == 'eu', then: deny }\n",
    );
    const regions = ["us", "eu"];
    const facts = () => ({ context: { region: regions.shift() ?? "" } });
    const gated = saferun.wrap(refund, {
      policies: [...policies, "principal.yaml"],
      run: facts,
      store: createMemoryStore(),
    });
    expect(isDenied(await gated({ amount: 1 }))).toBe(false);
    expect(isDenied(await gated({ amount: 2 }))).toBe(true);
    expect(regions).toEqual([]);
    expect(ran).toEqual([{ amount: 1 }]);
  });

  it("`agent` and `environment` are what rules are judged by", async () => {
    writeFileSync(
      "agent.yaml",
      "saferun: policy/v1\nrules:\n  - { id: no, tool: refund, agent: intern, then: deny }\n",
    );
    const wrap = (change: object) => saferun.wrap(refund, { policies: [...policies, "agent.yaml"], ...change });
    expect(isDenied(await wrap({ agent: "intern" })({ amount: 1 }))).toBe(true);
    expect(isDenied(await wrap({ agent: "senior" })({ amount: 1 }))).toBe(false);
    // An environment that nobody declared is judged by the strictest.
    expect(
      isDenied(await wrap({ environment: "moon", onPause: (call: PausedCall) => call.deny() })({ amount: 101 })),
    ).toBe(true);
    expect(ran).toEqual([{ amount: 1 }]);
  });

  it("`store` names the directory; `saferun.model` records there without policies, `saferun.tools` gates a map", async () => {
    const model = saferun.model(scriptedModel([]), { store: "./record" });
    await model.doGenerate({ prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }] });
    const w = world();
    const map: Record<string, object> = {};
    const tools = saferun.tools(map, { policies, store: "./record" });
    map.refund = sdkTools(w).refund;
    const { execute } = tools.refund as { execute: (args: object, options: object) => Promise<unknown> };
    expect(await execute({ amount: 1 }, { toolCallId: "x" })).toEqual({ refunded: 1 });
    await saferun.shutdown();
    const store = openSqliteStore({ directory: "record" });
    expect(await store.runs({ limit: 10 })).toHaveLength(2);
    await store.close();
  });
});

describe("policies from files (trap 5)", () => {
  it("that are missing, unreadable or empty stop the wrap, and name the file", () => {
    mkdirSync("folder");
    writeFileSync("empty.yaml", "");
    writeFileSync("blank.yaml", "# nothing\n");
    writeFileSync("latin.yaml", new Uint8Array([0x61, 0xff]));
    for (const path of ["gone.yaml", "gone/*.yaml", "folder", "empty.yaml", "blank.yaml", "latin.yaml"]) {
      expect(() => saferun.wrap(refund, { policies: [...policies, path] }), path).toThrow(`${path}:1:1: `);
    }
    expect(readdirSync(".")).not.toContain(".saferun");
  });

  it("that are wrong stop the wrap with everything that is wrong, as file:line:column", () => {
    writeFileSync(
      "broken.yaml",
      "saferun: policy/v1\nrules:\n  - { id: a, tool: refund, then: allowed }\n  - { id: b, tol: x, then: deny }\n",
    );
    const wrap = () => saferun.wrap(refund, { policies: ["policies.yaml", "broken.yaml"] });
    expect(wrap).toThrow(/broken\.yaml:3:\d+: /);
    expect(wrap).toThrow(/broken\.yaml:4:\d+: /);
    expect(wrap).toThrow(expect.objectContaining({ code: "policy.invalid" }));
  });

  it("that are doubtful are told of, and bind", async () => {
    writeFileSync("loose.yaml", "saferun: policy/v1\nenvironments:\n  lab: { unmatched: { destructive: allow } }\n");
    const told = new Promise<Error>((resolve) => process.once("warning", resolve));
    saferun.wrap(refund, { policies: [...policies, "loose.yaml"], store: createMemoryStore() });
    expect(await told).toMatchObject({
      name: "SafeRunWarning",
      message: expect.stringMatching(/loose\.yaml:3:\d+: warning/),
    });
  });

  it("may be named by a glob", async () => {
    mkdirSync("policies");
    writeFileSync("policies/a.yaml", POLICIES);
    writeFileSync("policies/b.yaml", "saferun: policy/v1\nrules:\n  - { id: never, tool: refund, then: deny }\n");
    expect(isDenied(await saferun.wrap(refund, { policies: ["policies/*.yaml"] })({ amount: 1 }))).toBe(true);
  });

  it("that only observe let a call run, and `mode: enforce` makes them bind (trap 4)", async () => {
    const observed = saferun.wrap(refund, { policies, environment: "development" });
    expect(await observed({ amount: 5_000 })).toEqual({ refunded: 5_000 });
    let asked = 0;
    const enforced = saferun.wrap(refund, {
      policies,
      environment: "development",
      mode: "enforce",
      onPause: (call) => {
        asked++;
        return call.deny();
      },
    });
    expect(isDenied(await enforced({ amount: 6_000 }))).toBe(true);
    expect(asked).toBe(1);
    expect(ran).toEqual([{ amount: 5_000 }]);
  });
});

describe("the store", () => {
  it("at the default path that somebody else made is not opened", async () => {
    const foreign = openSqliteStore({ directory: ".saferun" });
    await foreign.close();
    expect(() => saferun.wrap(refund, { policies })).toThrow(expect.objectContaining({ code: "record.untrusted" }));
  });

  it("is repaired before anything runs on it, and again where that failed (trap 5)", async () => {
    const memory = createMemoryStore();
    let broken = true;
    const store = {
      ...memory,
      callsIn: async (...query: Parameters<typeof memory.callsIn>) => {
        if (broken) throw new SafeRunError("record.busy", "busy");
        return memory.callsIn(...query);
      },
    };
    const gated = saferun.wrap(refund, { policies, store });
    const refused = await gated({ amount: 1 });
    expect(isDenied(refused) && refused.status).toBe("unavailable");
    expect(ran).toEqual([]);
    broken = false;
    expect(await gated({ amount: 1 })).toEqual({ refunded: 1 });
  });

  it("tells of calls that were running when their process ended, and runs none of them again", async () => {
    const memory = createMemoryStore();
    const first = saferun.wrap(refund, { policies, store: memory });
    await first({ amount: 1 });
    const [found] = await memory.callsIn(["succeeded"], 1);
    const row = await memory.call(found?.id ?? "");
    if (row === undefined) throw new Error("no call");
    const left = { ...row, id: "call_left", state: "executing", owner: "dead", fence: 1 } as const;
    await memory.commit({ calls: [{ row: left, expect: null }], entries: [] });
    const store = { ...memory, deadWriters: async () => ["dead"] };
    const told = new Promise<Error>((resolve) => process.once("warning", resolve));
    await saferun.wrap(refund, { policies, store })({ amount: 2 });
    expect((await told).message).toContain("call_left");
    expect((await memory.call("call_left"))?.state).toBe("unknown");
    expect(ran).toEqual([{ amount: 1 }, { amount: 2 }]);
  });

  it("keeps what a person decided elsewhere: a call that waits is answered through the store", async () => {
    const store = createMemoryStore();
    const gated = saferun.wrap(refund, { policies, store });
    const answer = gated({ amount: 200 });
    let waiting = await store.approvals({ state: "pending", limit: 1 });
    while (waiting.length === 0) {
      await new Promise(setImmediate);
      waiting = await store.approvals({ state: "pending", limit: 1 });
    }
    const { decideApproval } = await import("@saferun/core");
    const { nodeClock, nodeHash, nodeRandom } = await import("@saferun/store");
    const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
    const by = { id: "local:ann", via: "cli", verified: false };
    await decideApproval(ports, { approval: waiting[0]?.id ?? "", verdict: "approve", by });
    expect(await answer).toEqual({ refunded: 200 });
  });
});
