/** Loading and asking, as the tests of this package do it. */
import { createHash } from "node:crypto";
import { type Decision, type EvaluationContext, type JsonObject, normalize } from "@saferun/core";
import { formatIssue } from "../src/format-issue.ts";
import { type LoadResult, loadPolicies } from "../src/load.ts";

export const hash = { sha256: (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()) };

export function load(...texts: string[]): LoadResult {
  return loadPolicies(
    texts.map((text, index) => ({ file: `p${index + 1}.yaml`, text })),
    { hash },
  );
}

export function loaded(...texts: string[]) {
  const result = load(...texts);
  if (!result.ok) throw new Error(result.issues.map((issue) => formatIssue(issue)).join("\n"));
  return result;
}

export function issues(...texts: string[]): string[] {
  const result = load(...texts);
  const all = result.ok ? result.warnings : result.issues;
  return all.map(
    ({ file, line, column, severity, code, message }) => `${file}:${line}:${column} ${severity} ${code} ${message}`,
  );
}

export interface Ask {
  tool?: string;
  args?: JsonObject;
  agent?: string;
  env?: string;
  principal?: Partial<EvaluationContext["principal"]>;
  context?: JsonObject;
}

export function decide(
  policies: ReturnType<typeof loaded>["policies"],
  ask: Ask = {},
  how: "evaluate" | "explain" = "evaluate",
): Decision {
  const { tool = "stripe.refund", args = {}, agent = "billing-bot", env = "prod", context = {} } = ask;
  const normal = normalize({ tool, args, agent, environment: env }, hash);
  if (!normal.ok) throw new Error(normal.malformed.message);
  return policies[how](normal.call, {
    agent,
    environment: env,
    principal: { id: "u1", kind: "person", roles: [], labels: {}, ...ask.principal },
    context,
    run: { id: "run_1", prompted: true, untrusted: false, turn: 0 },
    call: { id: "call_1", depth: 0, attempt: 1 },
    now: 1_700_000_000_000,
  });
}

export const PAYMENTS = `saferun: policy/v1
name: payments
environments:
  prod: { unmatched: deny }
  staging: { unmatched: deny, mode: observe }
  dev: { unmatched: { read: allow, write: deny } }
routes:
  finance: { to: [dashboard], roles: [finance], within: 4h }
context: { customer_country: string }
let:
  sanctioned: [KP, IR, SY, CU]
define:
  small: args.amount > 0 && args.amount <= 50000
tools:
  stripe.refund: { kind: write, labels: [money], aliases: [mcp__stripe__refund] }
  "stripe.get*": { kind: read }
rules:
  - id: refund
    tool: stripe.refund
    agent: [billing-bot, "support-*"]
    when: small && args.currency == "usd"    # minor units, integers
    then: allow
    else: pause
    approval: { route: finance, show: [args.amount, reason], editable: [args.amount] }
    reason: Refunds over 500.00 need a person in finance.
  - id: refund.sanctioned
    tool: stripe.refund
    when: args.country in sanctioned
    then: deny
    reason: This country is sanctioned.
    fix: Hand over to compliance.
`;
export const REFUND = { amount: 4999, currency: "usd", country: "US" };
