/**
 * Conditions that are functions of the host. They run in its process only, cannot be analysed or printed, and are not trusted
 * to behave: whatever is not plainly true or false is an error of the rule, which then fails closed.
 */
import type { EvaluationContext } from "../decision.ts";
import type { JsonObject } from "../value/json.ts";
import { Fault } from "./cel/issues.ts";
import { Timestamp } from "./cel/values.ts";
import type { ToolKind } from "./policy-set.ts";

/** What such a function sees: the variables of conditions, deeply frozen. */
export interface OpaqueContext<Args = JsonObject> {
  readonly args: Args;
  readonly tool: string;
  readonly agent: string;
  readonly env: string;
  readonly principal: EvaluationContext["principal"];
  /** Declared fields only, as conditions see them. */
  readonly context: JsonObject;
  readonly run: EvaluationContext["run"];
  readonly call: EvaluationContext["call"] & { readonly kind: ToolKind; readonly labels: readonly string[] };
  /** Ms since 1970, the gate's clock at proposal. */
  readonly now: number;
}

/** Must answer `true` or `false` at once. A throw, a promise and every other value are errors. */
export type OpaqueTest = (context: OpaqueContext) => unknown;

/** Variables that are looked up only where a condition mentions them. */
export const OPAQUE_NAMES: readonly string[] = ["call", "context", "now"];

/** Total. */
export function answerOf(test: OpaqueTest, variables: Readonly<Record<string, unknown>>): boolean | Fault {
  try {
    const answer = test(contextOf(variables));
    if (typeof answer === "boolean") return answer;
    if (!(answer instanceof Promise)) return new Fault("the function gave neither true nor false", 0);
    // Nobody waits for it, so that its failure must not end the process.
    answer.catch(() => undefined);
    return new Fault("the function gave a promise; a condition must answer at once", 0);
  } catch {
    // Its message may hold values of the call.
    return new Fault("the function threw an error", 0);
  }
}

function contextOf(variables: Readonly<Record<string, unknown>>): OpaqueContext {
  const { args, tool, agent, env, principal, context, run, call, now } = variables;
  const millis = now instanceof Timestamp ? Number(now.nanos / 1_000_000n) : Number.NaN;
  // The arguments are closed and frozen since `normalize`; the rest belongs to the host.
  const copied = frozen({ principal, context, run, call }) as object;
  return Object.freeze({ args, tool, agent, env, now: millis, ...copied }) as OpaqueContext;
}

function frozen(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozen));
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozen(item)])));
}
