/** The variables of one evaluation; only the ones that some condition mentions are looked up. */
import type { ToolCall } from "../call.ts";
import type { EvaluationContext } from "../decision.ts";
import type { Json, JsonObject } from "../value/json.ts";
import { Timestamp } from "./cel/values.ts";
import type { Compiled } from "./compile.ts";
import type { ContextType } from "./model.ts";
import type { ModelContext } from "./policy-set.ts";
import type { Candidates } from "./rule-index.ts";

export type Variables = Readonly<Record<string, unknown>>;

export function variablesOf(
  { names, tool }: Pick<Candidates, "names" | "tool">,
  environment: string,
  call: ToolCall,
  args: JsonObject,
  context: EvaluationContext,
  named: Pick<Compiled, "constants" | "context">,
): Variables {
  const variables: Record<string, unknown> = {
    args,
    tool: tool.name,
    agent: call.agent,
    env: environment,
    principal: context.principal,
    run: context.run,
  };
  for (const name of names) {
    if (name === "call") variables.call = { ...context.call, kind: tool.kind, labels: tool.labels };
    else lookUp(name, variables, context, named);
  }
  return variables;
}

/** A call of a model has no arguments, and is of no tool. */
export function modelVariablesOf(
  names: readonly string[],
  context: ModelContext,
  named: Pick<Compiled, "constants" | "context">,
): Variables {
  const { agent, environment: env, principal, run } = context;
  const variables: Record<string, unknown> = { agent, env, principal, run };
  for (const name of names) lookUp(name, variables, context, named);
  return variables;
}

function lookUp(
  name: string,
  variables: Record<string, unknown>,
  context: ModelContext,
  { constants, context: declared }: Pick<Compiled, "constants" | "context">,
): void {
  switch (name) {
    case "now":
      variables.now = Timestamp.fromMs(context.now);
      break;
    case "context":
      variables.context = declaredContext(context.context, declared);
      break;
    default: {
      const constant = constants.get(name);
      if (constant !== undefined) variables[name] = constant;
    }
  }
}

/** Only what is declared, and only with the declared type: a field of another type reads as missing, which is an error. */
function declaredContext(stated: JsonObject, declared: ReadonlyMap<string, ContextType>): JsonObject {
  const fields: Record<string, Json> = {};
  for (const [name, type] of declared) {
    const value = Object.hasOwn(stated, name) ? stated[name] : undefined;
    if (value !== undefined && hasType(value, type)) fields[name] = value;
  }
  return fields;
}

function hasType(value: Json, type: ContextType): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "bool":
      return typeof value === "boolean";
    case "int":
      return Number.isSafeInteger(value);
    case "double":
      return typeof value === "number";
    case "list(string)":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "list(int)":
      return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
  }
}
