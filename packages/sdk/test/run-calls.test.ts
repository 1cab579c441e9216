/** Rules that read what the run has done before, on a durable store; what ran is counted at the tool. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@saferun/core";
import { openSqliteStore } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isDenied, saferun } from "../src/index.ts";

let directory: string;
let opened: Store[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-run-calls-"));
  opened = [];
});
afterEach(async () => {
  for (const store of opened.reverse()) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Another opening has its own connection, as another process would. */
function open(): Store {
  const store = openSqliteStore({ directory: join(directory, "store") });
  opened.push(store);
  return store;
}

const TOOLS = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools:
  orders.verify: { kind: read }
  refund: { kind: write }
  delegate: { kind: none }
breakers: { duplicate: { mode: observe }, repeat: { mode: observe } }
rules:
  - { id: all, tool: "*", then: allow }
`;

/** Refunds only what was verified before. */
const VERIFIED = `${TOOLS}  - id: unverified
    tool: refund
    when: '!run.calls.exists(c, c.tool == "orders.verify" && c.args.order == args.order)'
    then: deny
`;

/** One refund in a run, tried or done. */
const ONCE = `${TOOLS}  - id: second
    tool: refund
    when: run.attempts.exists(a, a.tool == "refund" && a.verdict != "deny")
    then: deny
`;

interface Desk {
  verify(args: object): Promise<unknown>;
  refund(args: object): Promise<unknown>;
  /** In a run of its own, which a tool opens as sub-agents do. */
  delegate(run: string, task: () => Promise<unknown>): Promise<unknown>;
  /** What the refund tool was contacted with. */
  readonly refunds: object[];
}

function desk(policy: string, { store = open(), fails = false, secrets = [] as string[] } = {}): Desk {
  const file = join(directory, "policies.yaml");
  writeFileSync(file, policy);
  const refunds: object[] = [];
  const tasks = new Map<string, () => Promise<unknown>>();
  const { tools } = saferun.wrap(
    {
      tools: {
        "orders.verify": {
          execute: async (_args: object): Promise<unknown> => {
            if (fails) throw new Error("no such order");
            return { ok: true };
          },
        },
        delegate: {
          execute: async ({ run }: { run: string }): Promise<unknown> =>
            saferun.run({ id: run }, async () => ({ did: String(await tasks.get(run)?.()) })),
        },
        refund: {
          execute: async (args: object): Promise<unknown> => {
            refunds.push(args);
            return { done: true };
          },
        },
      },
    },
    {
      policies: [file],
      store,
      environment: "prod",
      agent: "desk",
      ...(secrets.length === 0 ? {} : { redact: { secrets } }),
    },
  );
  return {
    verify: (args) => tools["orders.verify"].execute(args),
    refund: (args) => tools.refund.execute(args),
    delegate: (run, task) => {
      tasks.set(run, task);
      return tools.delegate.execute({ run });
    },
    refunds,
  };
}

const within = <Result>(body: () => Promise<Result>, id = "run-1"): Promise<Result> => saferun.run({ id }, body);

describe("run.calls", () => {
  it("holds what succeeded, with the arguments it ran with, of this run alone", async () => {
    const { verify, refund, refunds } = desk(VERIFIED);
    await within(async () => {
      expect(isDenied(await refund({ order: "W1" }))).toBe(true);
      await verify({ order: "W1" });
      expect(isDenied(await refund({ order: "W2" }))).toBe(true);
      expect(isDenied(await refund({ order: "W1" }))).toBe(false);
    });
    expect(isDenied(await within(() => refund({ order: "W1" }), "run-2"))).toBe(true);
    expect(refunds).toEqual([{ order: "W1" }]);
  });

  it("does not hold a call that failed", async () => {
    const { verify, refund, refunds } = desk(VERIFIED, { fails: true });
    await within(async () => {
      await expect(verify({ order: "W1" })).rejects.toThrow();
      expect(isDenied(await refund({ order: "W1" }))).toBe(true);
    });
    expect(refunds).toEqual([]);
  });

  it("is the stored one after a restart, and in another process", async () => {
    const first = desk(VERIFIED);
    await within(() => first.verify({ order: "W1" }));
    const second = desk(VERIFIED, { store: open() });
    await within(() => second.refund({ order: "W1" }));
    expect(second.refunds).toEqual([{ order: "W1" }]);
  });

  it("holds the calls of sub-agents with runs of their own, both ways", async () => {
    const { verify, refund, delegate, refunds } = desk(VERIFIED);
    await within(async () => {
      await delegate("sub-1", () => verify({ order: "W1" }));
      await refund({ order: "W1" });
      await verify({ order: "W2" });
      await delegate("sub-2", () => refund({ order: "W2" }));
    });
    expect(refunds).toEqual([{ order: "W1" }, { order: "W2" }]);
  });
});

describe("what the log does not hold", () => {
  /** A refund to an account that was paid before is denied. */
  const NEW_ONLY = `${TOOLS}  - id: again
    tool: refund
    when: run.attempts.exists(a, a.tool == "refund" && a.args.to == args.to)
    then: deny
`;

  it("is an error where it is read: a deny rule matches", async () => {
    const { refund, refunds } = desk(NEW_ONLY, { secrets: ["DE-hidden-account"] });
    await within(async () => {
      await refund({ to: "DE-hidden-account" });
      expect(isDenied(await refund({ to: "another" }))).toBe(true);
    });
    expect(refunds).toEqual([{ to: "DE-hidden-account" }]);
  });

  it("does no harm where it is not read", async () => {
    const { verify, refund, refunds } = desk(VERIFIED, { secrets: ["DE-hidden-account"] });
    await within(async () => {
      await verify({ order: "W1", account: "DE-hidden-account" });
      await refund({ order: "W1" });
    });
    expect(refunds).toEqual([{ order: "W1" }]);
  });
});

describe("two siblings that are proposed at once", () => {
  it.each([2, 12])("%i of them: the rule that allows one lets one run", async (count) => {
    const { refund, refunds } = desk(ONCE);
    const answers = await within(() =>
      Promise.all(Array.from({ length: count }, (_, n) => refund({ order: `W${n}` }))),
    );
    expect(answers.filter((answer) => !isDenied(answer))).toHaveLength(1);
    expect(refunds).toHaveLength(1);
  });

  it("also through two openings of one store", async () => {
    const desks = [desk(ONCE), desk(ONCE, { store: open() })];
    await Promise.all(
      desks.map((one, n) =>
        within(() => Promise.all([one.refund({ order: `a${n}` }), one.refund({ order: `b${n}` })])),
      ),
    );
    expect(desks.flatMap(({ refunds }) => refunds)).toHaveLength(1);
  });
});
