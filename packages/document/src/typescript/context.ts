/** What a callback of `when` is given: the variables of conditions, as expressions. */
import { call, has, named, variable } from "./builder.ts";
import type { ConditionContext } from "./expressions.ts";

const VARIABLES = ["args", "tool", "agent", "env", "principal", "context", "call", "run", "now"] as const;

/** Functions with types of their own; `fn` calls any. */
const FUNCTIONS = [
  "timestamp",
  "duration",
  "dec",
  "domain",
  "host",
  "inDomain",
  "within",
  "glob",
  "cidr",
  "hasInvisible",
  "links",
  "holds",
  "day",
] as const;

/** The types of the arguments are the caller's promise; a name that does not exist is found by the checker all the same. */
export function conditionContext<Args>(): ConditionContext<Args> {
  const context: object = Object.freeze({
    ...Object.fromEntries(VARIABLES.map((name) => [name, variable(name)])),
    named,
    has,
    fn: (name: string, ...args: readonly unknown[]) => call(name, args),
    ...Object.fromEntries(FUNCTIONS.map((name) => [name, (...args: readonly unknown[]) => call(name, args)])),
  });
  return context as ConditionContext<Args>;
}
