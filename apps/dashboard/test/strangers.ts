/** A store in which everything that strangers can name, say or return is meant to mislead whoever looks at it. */
import { join } from "node:path";
import { stopCalls } from "@saferun/core";
import { saferun } from "@saferun/sdk";
import { nodeClock, nodeRandom } from "@saferun/store";
import { makePlace, type Place } from "./place.ts";

const MARKUP = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
export const REVERSED = "invoice\u202Efdp.exe";
const CONTROL = "a\u0007b\u001b[2Jc\u200bd";
/** The gate takes no such text for a call, and keeps it as it came. */
const NULL_BYTE = "a\u0000b";
export const MILLION = "x".repeat(1_000_000);

/** Names may hold no control characters, and everything else. */
const TOOL = `pay<b>\u202Eyap\u200b</b>`;
const AGENT = `bot<i>\u202Etob</i> ${"long".repeat(50)}`;
const MODEL = `large<u>\u202Eegral`;

/** A policy file with characters that cannot be seen does not load; markup it may hold. */
const POLICIES = `saferun: policy/v1
name: '${MARKUP}'
environments:
  prod: { unmatched: { read: allow, write: deny, destructive: deny } }
tools:
  orders.lookup: { kind: read }
  stripe.refund:
    kind: write
    schema: { type: object, required: [order, amount], properties: { order: { type: string }, amount: { type: integer, title: '<b>Amount</b>', description: '${MARKUP}' }, reason: { type: string, enum: ['${MARKUP}', duplicate] } } }
  mail.send: { kind: write }
routes:
  two: { roles: [approver], need: 2, within: 1h }
rules:
  - { id: refund.small, tool: stripe.refund, then: allow, when: args.amount <= 5000 }
  - { id: refund.large, tool: stripe.refund, then: pause, when: args.amount > 5000 && args.amount <= 1000000, approval: { show: [args.order], editable: [order, amount, reason] }, reason: 'Ask somebody ${MARKUP}' }
  - { id: refund.huge, tool: stripe.refund, then: deny, when: args.amount > 1000000, reason: 'Too much ${MARKUP}', fix: '${MARKUP}' }
  - { id: mail.many, tool: mail.send, then: pause, when: size(args.to) > 3, approval: { route: two, show: [args.subject] }, reason: Mails to many people need two people. }
  - { id: mail.few, tool: mail.send, then: allow, when: size(args.to) <= 3 }
  - { id: pay.any, tool: 'pay*', then: allow }
budgets:
  - { id: paid, tool: 'pay*', unit: args.unit, sum: args.amount, per: { key: [args.to], window: { calendar: day, zone: UTC } }, limit: 100000 }
`;

export interface Strangers {
  readonly place: Place;
  /** Of the runs, in the order in which they began: calls, other calls, a loop, models, two questions. */
  readonly runs: readonly string[];
  end(): Promise<void>;
}

export async function strangers(): Promise<Strangers> {
  const place = makePlace(POLICIES, { tools: ["orders.lookup", "stripe.refund", "mail.send", TOOL] });
  await place.run(`Refund my order ${MARKUP} ${REVERSED}`, [
    ["orders.lookup", { order: "1", note: MARKUP }],
    ["stripe.refund", { order: REVERSED, amount: 4_000 }],
    ["stripe.refund", { order: "1", amount: 5_000_000 }],
    ["mail.send", { to: ["down@example.com"], fails: true }],
  ]);
  await place.run("Refund my order", [
    ["orders.lookup", { order: CONTROL, [MARKUP]: REVERSED }],
    ["orders.lookup", { order: NULL_BYTE }],
    ["stripe.refund", { order: "1", amount: 4_100 }],
    [TOOL, { to: REVERSED, amount: 42_000, unit: "usd_cents" }],
    [TOOL, { to: "ann", amount: 99_000, unit: `${REVERSED}` }],
  ]);
  const again = Array.from({ length: 6 }, () => ["orders.lookup", { order: MARKUP }] as const);
  await place.run(CONTROL, again);
  await askModels(place);
  const stranger = saferun.wrap(
    { tools: { "stripe.refund": async (args: object) => ({ done: true, ...args }) } },
    {
      policies: [join(place.cwd, "policies.yaml")],
      store: place.directory,
      agent: AGENT,
      environment: "prod",
      onPause() {},
    },
  );
  const to = Array.from({ length: 500 }, (_, at) => `lead-${at}@example.com`);
  const left = [
    place.call("mail.send", { to, subject: MARKUP, body: MILLION, [REVERSED]: CONTROL }, `${REVERSED} ${CONTROL}`),
    stranger.tools["stripe.refund"]({ order: REVERSED, amount: 450_000 }),
  ];
  await Promise.all([place.question("mail.send"), place.question("stripe.refund")]);
  // Of one that calls nothing here: every other page stays as it is.
  const scope = { agent: `${AGENT}!`, tool: null, run: null };
  const ports = { store: place.store, clock: nodeClock, random: nodeRandom };
  await stopCalls(ports, { scope, reason: MARKUP, by: { id: REVERSED, kind: "person", roles: ["admin"] } });
  return {
    place,
    runs: (await place.store.runs({ limit: 10 })).map(({ id }) => id).reverse(),
    async end() {
      for (const { id } of await place.store.approvals({ state: "pending", limit: 10 }))
        await place.decide(id, "deny", { id: "slack:U-ana", via: "slack", verified: true, roles: ["approver"] });
      await Promise.all(left);
      await place.close();
    },
  };
}

/** Turns of a model that has a price, and one of a model that fails. */
async function askModels({ directory, cwd }: Place): Promise<void> {
  const says = async (_: unknown) => ({
    content: [{ type: "text", text: `${MARKUP} ${REVERSED} ${CONTROL}` }],
    finishReason: "stop",
    usage: { inputTokens: 12_345, outputTokens: 678, totalTokens: 13_023 },
    warnings: [],
  });
  const fails = (_: unknown) => Promise.reject(new Error(`overloaded ${MARKUP} ${REVERSED}`));
  const options = { store: directory, agent: AGENT, environment: "prod" } as const;
  const prices = { [`acme:${MODEL}`]: { input: "3.00", output: "15.00" } };
  const model = saferun.model(
    { specificationVersion: "v3", provider: "acme", modelId: MODEL, doGenerate: says, doStream: says },
    { ...options, prices },
  );
  const broken = saferun.model(
    { specificationVersion: "v3", provider: "acme", modelId: "broken", doGenerate: fails, doStream: fails },
    { ...options, prices },
  );
  const lookup = saferun.tools(
    { "orders.lookup": async (args: object) => ({ found: REVERSED, ...args }) },
    { ...options, policies: [join(cwd, "policies.yaml")] },
  );
  const asked = (content: string) => ({
    prompt: [
      { role: "system", content: MARKUP },
      { role: "user", content: [{ type: "text", text: content }] },
    ],
  });
  await saferun.run({ principal: { id: "ann" }, prompt: `Where is it? ${REVERSED}` }, async () => {
    await model.doGenerate(asked("Where is it?"));
    await lookup["orders.lookup"]({ order: "2" });
    await model.doGenerate(asked(REVERSED));
    await broken.doGenerate(asked(MARKUP)).catch(() => undefined);
  });
}
