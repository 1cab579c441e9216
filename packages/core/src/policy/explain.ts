/** Why a rule matched, or what in it was false: for people, never for the agent. */
import type { Json } from "../value/json.ts";
import { explainCel } from "./cel/index.ts";
import type { CelEnv } from "./cel/types.ts";
import type { Matched } from "./combine.ts";
import type { CompiledRule } from "./compile.ts";
import type { Variables } from "./variables.ts";

export interface Part {
  readonly text: string;
  readonly value: Json | { readonly error: string };
}

/** All parts of a condition that matched or failed; of one that did not match only the first that was false. */
export function because(rule: CompiledRule, matched: Matched, env: CelEnv, variables: Variables): readonly Part[] {
  if (rule.condition === null) return [];
  if (rule.condition.opaque) return [opaquePart(matched)];
  const parts = explainCel(rule.condition.expr, env, variables);
  if (matched !== "false") return parts;
  const miss = parts.find((part) => part.value === false);
  return miss === undefined ? parts : [miss];
}

function opaquePart(matched: Matched): Part {
  return { text: "opaque(…)", value: matched === "error" ? { error: "the function failed" } : matched === "true" };
}
