/** A project with policies, an agent at work behind the gate, and `saferun dev` over the same store in a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ApprovalSummary, type Approver, type DecisionAnswer, decideApproval, type Store } from "@saferun/core";
import { saferun, type WrapOptions } from "@saferun/sdk";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";

const BIN = fileURLToPath(new URL("../../../packages/cli/bin/saferun.mjs", import.meta.url));

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: deny, destructive: deny } }
tools:
  orders.lookup: { kind: read }
  stripe.refund:
    kind: write
    units: { amount: usd_cents }
    schema: { type: object, additionalProperties: false, required: [order, amount], properties: { order: { type: string }, amount: { type: integer, minimum: 1, title: Amount in cents }, reason: { type: string, enum: [duplicate, requested_by_customer] } } }
  mail.send: { kind: write }
  note.add: { kind: write }
routes:
  finance: { roles: [approver], within: 2h }
  two: { roles: [approver], need: 2, within: 1h }
  quick: { roles: [approver], within: 8s }
rules:
  - { id: refund.small, tool: stripe.refund, then: allow, when: args.amount <= 5000 }
  - { id: refund.large, tool: stripe.refund, then: pause, when: args.amount > 5000 && args.amount <= 1000000, approval: { route: finance, show: [args.amount], editable: [amount, reason] }, reason: Refunds over $50 need a person. }
  - { id: refund.huge, tool: stripe.refund, then: deny, when: args.amount > 1000000, reason: No refund over $10 000., fix: Ask for a smaller refund. }
  - { id: mail.many, tool: mail.send, then: pause, when: size(args.to) > 3, approval: { route: two, show: [args.subject] }, reason: Mails to many people need two people. }
  - { id: mail.few, tool: mail.send, then: allow, when: size(args.to) <= 3 }
  - { id: note.quick, tool: note.add, then: pause, approval: { route: quick }, reason: Every note is looked at at once. }
`;

export type Arguments = Readonly<Record<string, unknown>>;

export interface Place {
  /** Where its policies lie, and the store's directory. */
  readonly cwd: string;
  readonly directory: string;
  readonly store: Store;
  /** What the tools were really called with. */
  readonly ran: { readonly tool: string; readonly args: unknown }[];
  /** In a run of its own. */
  call(tool: string, args: Arguments, prompt?: string): Promise<unknown>;
  /** Several calls of one run, one after the other; what fails does not end it. */
  run(prompt: string, calls: readonly (readonly [tool: string, args: Arguments])[]): Promise<void>;
  /** The question about this tool that waits, as soon as there is one. */
  question(tool: string): Promise<ApprovalSummary>;
  /** As a person of another channel would. */
  decide(approval: string, verdict: "approve" | "deny", by: Approver): Promise<DecisionAnswer>;
  dev(options?: DevOptions): Promise<Dev>;
  close(): Promise<void>;
}

export interface DevOptions {
  readonly port?: number;
  /** The name of the account that it runs as. */
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Dev {
  readonly url: string;
  /** Opens one browser, once. */
  readonly link: string;
  stop(): Promise<void>;
}

/** No policy here declares the last one. */
const TOOLS = ["orders.lookup", "stripe.refund", "mail.send", "note.add", "orders.delete"] as const;

/** Beyond this nothing is coming: the test says so instead of hanging. */
const QUESTION_MS = 20_000;

interface PlaceOptions {
  readonly agent?: string;
  readonly tools?: readonly string[];
  /** Default: nobody is told, whoever looks sees it. */
  readonly onPause?: WrapOptions["onPause"];
}

export function makePlace(
  policies = POLICIES,
  { agent: name = "support-bot", tools = TOOLS, onPause = () => {} }: PlaceOptions = {},
): Place {
  const root = mkdtempSync(join(tmpdir(), "saferun-page-"));
  const cwd = mkdtempSync(join(root, "project-"));
  const directory = join(cwd, "store");
  writeFileSync(join(cwd, "policies.yaml"), policies);
  const ran: { tool: string; args: unknown }[] = [];
  const work = (tool: string) => async (args: Arguments) => {
    ran.push({ tool, args });
    if (args.fails === true) throw new Error("smtp 503 <b>down</b> \u202enwod\u0007");
    return { done: true, ...args };
  };
  const agent = saferun.wrap(
    { tools: Object.fromEntries(tools.map((name) => [name, work(name)])) },
    {
      policies: [join(cwd, "policies.yaml")],
      store: directory,
      agent: name,
      environment: "prod",
      onPause,
    },
  );
  const store = openSqliteStore({ directory, clock: nodeClock });
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const devs = new Set<Dev>();

  async function run(prompt: string, calls: readonly (readonly [string, Arguments])[]): Promise<unknown> {
    return saferun.run({ principal: { id: "customer-81", kind: "person" }, prompt }, async () => {
      let last: unknown;
      for (const [tool, args] of calls) {
        last = await agent.tools[tool]?.(args).catch((error: unknown) => ({ failed: String(error) }));
      }
      return last;
    });
  }

  return {
    cwd,
    directory,
    store,
    ran,
    call: (tool, args, prompt = "Refund my order") => run(prompt, [[tool, args]]),
    async run(prompt, calls) {
      await run(prompt, calls);
    },
    async question(tool) {
      const until = nodeClock.now() + QUESTION_MS;
      while (nodeClock.now() < until) {
        const pending = await store.approvals({ state: "pending", limit: 100 });
        const found = pending.find((approval) => approval.tool === tool);
        if (found !== undefined) return found;
        await nodeClock.sleep(20);
      }
      throw new Error(`nobody is asked about ${tool}`);
    },
    decide: (approval, verdict, by) => decideApproval(ports, { approval, verdict, by }),
    async dev(options = {}) {
      const dev = await startDev({ cwd, directory, state: join(root, `state-${devs.size}`), ...options });
      devs.add(dev);
      return dev;
    },
    async close() {
      await Promise.all([...devs].map((dev) => dev.stop()));
      await saferun.shutdown();
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export interface DevPlace extends DevOptions {
  readonly cwd: string;
  readonly directory?: string;
  readonly state: string;
}

/** `directory` absent: the one that is made where there is none. */
export async function startDev({ cwd, directory, state, port = 0, user, env = {} }: DevPlace): Promise<Dev> {
  const child: ChildProcessWithoutNullStreams = spawn(
    process.execPath,
    [
      BIN,
      "dev",
      "--port",
      String(port),
      "--json",
      "--no-open",
      ...(directory === undefined ? [] : ["--store", directory, "--new"]),
    ],
    {
      cwd,
      env: {
        PATH: process.env.PATH,
        HOME: state,
        SAFERUN_STATE_DIR: state,
        ...env,
        ...(user === undefined ? {} : { NODE_OPTIONS: `--import=${accountNamed(user)}` }),
      },
    },
  );
  let told = "";
  child.stderr.on("data", (piece: Buffer) => {
    told += piece.toString();
  });
  const closed = once(child, "close");
  const first = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    closed.then(() => Promise.reject(new Error(`saferun dev ended: ${told}`))),
  ]);
  const { url, link } = JSON.parse(String(first[0])) as { readonly url: string; readonly link: string };
  return {
    url,
    link,
    async stop() {
      if (child.exitCode === null) child.kill("SIGINT");
      await closed;
    },
  };
}

/** A second account of this machine, as far as the process can tell: tests cannot make a real one. */
function accountNamed(user: string): string {
  const text = `import os from "node:os"; import { syncBuiltinESMExports } from "node:module"; const known = os.userInfo; os.userInfo = (...rest) => ({ ...known(...rest), username: ${JSON.stringify(user)} }); syncBuiltinESMExports();`;
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

/** One that nobody uses at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
