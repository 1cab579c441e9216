/** What a condition may be written with, for editors: from the declarations that the checker itself goes by. */
import { MANUAL } from "./cel/functions/manual.ts";
import { signatureOf } from "./cel/functions/overload.ts";
import { overloadsOf } from "./cel/functions/table.ts";
import { MACRO_FORMS } from "./cel/macros.ts";
import type { CelType } from "./cel/types.ts";
import { celEnv, withHistory } from "./condition.ts";
import type { PolicyModel } from "./model.ts";
import type { JsonSchema } from "./schema/types.ts";

export interface ConditionFunction {
  readonly name: string;
  /** `x.name(…)`. */
  readonly method: boolean;
  /** `domain(string): string`, one for each way to call it. */
  readonly signatures: readonly string[];
  readonly about: string;
}

export interface ConditionWords {
  /** Names that a condition may read, `let` and `context` of these policies among them, with what is known of their values. */
  readonly variables: Readonly<Record<string, CelType>>;
  /** Names of `define`. */
  readonly definitions: readonly string[];
  readonly functions: readonly ConditionFunction[];
  /** Calls that bind a name, each with an example. */
  readonly macros: Readonly<Record<string, string>>;
  /** Tool → the JSON Schema of its arguments, of the tools whose arguments these policies declare. */
  readonly args: Readonly<Record<string, JsonSchema>>;
}

/** @param model Of the policies in force; absent where none load: then the language alone. */
export function conditionWords(model?: Pick<PolicyModel, "env" | "definitions" | "tools">): ConditionWords {
  const env = model?.env ?? celEnv(new Map(), new Map());
  return {
    variables: withHistory(env).variables,
    definitions: [...(model?.definitions.keys() ?? [])],
    functions: MANUAL.flatMap(({ entries }) => Object.entries(entries)).flatMap(([name, { says }]) =>
      functionsOf(name, says),
    ),
    macros: MACRO_FORMS,
    args: Object.fromEntries(
      (model?.tools ?? []).flatMap(({ name, schema }) => (schema === null ? [] : [[name, schema.source] as const])),
    ),
  };
}

/** A name may be a function and a method: these are two ways to write it. */
function functionsOf(name: string, about: string): ConditionFunction[] {
  return [true, false].flatMap((method) => {
    const overloads = overloadsOf(name).filter((one) => one.method === method);
    const signatures = [...new Set(overloads.map(signatureOf))];
    return signatures.length === 0 ? [] : [{ name, method, signatures, about }];
  });
}
