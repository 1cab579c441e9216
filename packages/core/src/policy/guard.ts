/**
 * Step 1 of the order of work for one tool: what the host decides is written over what the model wrote, and the arguments
 * must fit the tool's schema. Never observed, and before every rule.
 */
import type { JsonObject } from "../value/json.ts";
import { type ArgumentPath, pathsMeet, withValue } from "./argument-path.ts";
import type { CelEnv } from "./cel/index.ts";
import { withoutNulls } from "./schema/absent.ts";
import { compileSchema } from "./schema/compile.ts";
import { refusalText } from "./schema/refusal.ts";
import type { ArgumentValidator, Schema } from "./schema/types.ts";
import type { ToolFacts } from "./tool-table.ts";
import { namesIn } from "./value-expression.ts";
import { type ValueProgram, valueProgram } from "./value-program.ts";
import type { Variables } from "./variables.ts";

export interface Guard {
  readonly tool: string;
  readonly binds: readonly { readonly path: ArgumentPath; readonly value: ValueProgram }[];
  /** Names that binds mention. */
  readonly names: readonly string[];
  readonly schema: Schema | null;
  readonly validators: readonly ArgumentValidator[];
}

/** Why a call does not get to the rules. A class, because arguments may have any keys. */
export class Refused {
  /** Ids for `by`, sorted. */
  readonly by: readonly string[];
  /** For the agent. */
  readonly reason: string;
  constructor(by: readonly string[], reason: string) {
    this.by = by;
    this.reason = reason;
  }
}

/** Null where nothing is known of the tool's arguments. */
export function guardOf({ name, schema, validator, binds }: ToolFacts, env: CelEnv): Guard | null {
  if (schema === null && validator === null && binds.length === 0) return null;
  const validators = schema === null ? [] : [compileSchema(schema.schema)];
  return {
    tool: name,
    binds: binds.map(({ path, value }) => ({ path, value: valueProgram(value, env) })),
    names: [...new Set(binds.flatMap(({ value }) => [...namesIn(value.expr)]))],
    schema: schema?.schema ?? null,
    validators: validator === null ? validators : [...validators, validator],
  };
}

/** The arguments with everything bound, or the binds that the host gave no value for. */
export function bound(guard: Guard, args: JsonObject, variables: Variables): JsonObject | Refused {
  let result = args;
  const missing: string[] = [];
  for (const { path, value } of guard.binds) {
    const given = value(variables);
    const next = given === null ? null : withValue(result, path, given.value);
    if (next === null) missing.push(`bind:${guard.tool}.${path.join(".")}`);
    else result = next;
  }
  if (missing.length === 0) return result;
  return new Refused([...new Set(missing)].sort(), "The session does not say what this call needs from it.");
}

/** Nulls that the schema has no place for are taken out: there they mean "nothing". */
export function withoutMeaninglessNulls({ schema }: Guard, args: JsonObject): JsonObject {
  return schema === null ? args : withoutNulls(args, schema, "meaningless");
}

/** As conditions see them: a null at an optional argument is absent. */
export function asRead({ schema }: Guard, args: JsonObject): JsonObject {
  return schema === null ? args : withoutNulls(args, schema, "all");
}

/** Null when the arguments fit. Total. */
export function refusalOf({ tool, validators }: Guard, args: JsonObject): Refused | null {
  const reason = refusalText(validators, args);
  return reason === null ? null : new Refused([`schema:${tool}`], reason);
}

/** Whether an approver may change this path: never what the host decides. */
export function mayEdit(guard: Guard, path: string): boolean {
  return !guard.binds.some((bind) => pathsMeet(bind.path, path.split(".")));
}
