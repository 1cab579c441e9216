/** Loads policies, decides calls, keeps and verifies a log, and says how that went: a process without code from strings. */
import { createGate, type EvaluationContext, NOBODY, normalize } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { createMemoryStore, nodeClock, nodeHash, nodeRandom, verifyStore } from "@saferun/store";

const POLICY = `saferun: policy/v1
environments: { prod: {} }
let: { most: 10000 }
define: { small: "args.amount > 0 && args.amount <= most" }
tools:
  refund:
    kind: write
    schema:
      type: object
      properties:
        amount: { type: integer, minimum: 1 }
        charge: { type: string, pattern: "^ch_[a-z0-9]+$" }
        tags: { type: array, items: { type: string } }
      required: [amount, charge]
rules:
  - { id: refund, tool: refund, when: small, then: allow, else: pause }
  - { id: fraud, tool: refund, when: 'has(args.tags) && args.tags.exists(tag, tag.matches(r"^fraud-[0-9]+$"))', then: deny }
`;

const context: EvaluationContext = {
  agent: "bot",
  environment: "prod",
  principal: NOBODY,
  context: {},
  run: { id: "run", prompted: false, untrusted: false, turn: 0 },
  call: { id: "call", depth: 0, attempt: 1 },
  now: 0,
};

const CALLS = {
  small: { amount: 45, charge: "ch_1" },
  large: { amount: 45_000, charge: "ch_1" },
  fraud: { amount: 45, charge: "ch_1", tags: ["new", "fraud-7"] },
  misfit: { amount: 45, charge: "no charge" },
};

const loaded = loadPolicies([{ file: "policy.yaml", text: POLICY }], { hash: nodeHash });
if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join("\n"));
const { policies } = loaded;

const decisions = Object.entries(CALLS).map(([name, args]) => {
  const normalized = normalize({ tool: "refund", args, agent: "bot", environment: "prod" }, nodeHash);
  if (!normalized.ok) throw new Error(normalized.malformed.message);
  const { verdict, by } = policies.evaluate(normalized.call, context);
  return [name, `${verdict} by ${by.join()}`] as const;
});

const store = createMemoryStore();
const notifier = { paused: () => undefined };
const gate = createGate({
  store,
  clock: nodeClock,
  hash: nodeHash,
  random: nodeRandom,
  notifier,
  policies: { current: () => policies },
});
const run = gate.openRun({ agent: "bot", environment: "prod" });
const ran = await gate.call(run, { tool: "refund", args: CALLS.small }, () => "done");
const refused = await gate.call(run, { tool: "refund", args: CALLS.fraud }, () => "done");
const { status, size, faults } = await verifyStore(store);

process.stdout.write(
  JSON.stringify({
    generates: generates(),
    decisions: Object.fromEntries(decisions),
    gate: [ran.status, refused.status],
    log: { status, empty: size === 0, faults },
  }),
);

/** Whether this process can turn text into code at all. */
function generates(): boolean {
  try {
    return Reflect.construct(Function, ["return true"])() === true;
  } catch (error) {
    if (error instanceof EvalError) return false;
    throw error;
  }
}
