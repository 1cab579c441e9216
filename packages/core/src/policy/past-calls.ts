/** `run.calls` and `run.attempts`: what a run has done before, as conditions read it. */
import type { PastCall, PastCalls } from "../past-calls.ts";
import type { Json, JsonObject } from "../value/json.ts";
import { Fault } from "./cel/issues.ts";
import { Timestamp } from "./cel/values.ts";
import type { Compiled } from "./compile.ts";
import { asRead } from "./guard.ts";

const UNKNOWN: PastCalls = { unreadable: "what this run has done before is not known here" };

/** The two lists, oldest first. What cannot be told is an error where it is read, so that no denial is lost by it. */
export function pastCalls(
  history: PastCalls = UNKNOWN,
  { candidates }: Pick<Compiled, "candidates">,
): { readonly calls: unknown; readonly attempts: unknown } {
  if ("unreadable" in history) {
    const fault = new Fault(history.unreadable, 0);
    return { calls: fault, attempts: fault };
  }
  const read = history.calls.map((call) => ({ call, value: pastCall(call, candidates) }));
  return {
    calls: read.filter(({ call }) => call.outcome === "succeeded").map(({ value }) => value),
    attempts: read.map(({ call: { verdict, outcome }, value }) => ({ ...value, verdict, outcome })),
  };
}

/** Under the names that rules use now, and as they would see these arguments. */
function pastCall({ tool, args, masked, at, turn }: PastCall, candidates: Compiled["candidates"]) {
  const { tool: facts, guard } = candidates(tool);
  const seen = args === null || guard === null ? args : asRead(guard, args);
  return { tool: facts.name, kind: facts.kind, args: withoutMasked(seen, masked), at: Timestamp.fromMs(at), turn };
}

const NOT_KEPT = "an argument of an earlier call that the log does not hold";

function withoutMasked(args: JsonObject | null, masked: readonly string[]): unknown {
  if (args === null) return new Fault(NOT_KEPT, 0);
  return masked.reduce<unknown>((value, pointer) => faultAt(value, pointer.split("/").slice(1).map(unescaped)), args);
}

function faultAt(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return new Fault(NOT_KEPT, 0);
  if (Array.isArray(value)) return value.map((item: Json, at) => (String(at) === step ? faultAt(item, rest) : item));
  if (typeof value !== "object" || value === null) return new Fault(NOT_KEPT, 0);
  // Own keys only, `__proto__` among them: not by assignment.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === step ? faultAt(item, rest) : item]),
  );
}

function unescaped(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}
