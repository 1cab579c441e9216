/** What the policies say of one call and why, read from the API's answer: it has the shape of `saferun explain --json`. */
import type { Json } from "@saferun/core";
import { isMap, listOf, mapOf, numberOf, textOf, textsOf } from "../../api/json.ts";

export interface ExplainedRule {
  readonly rule: string;
  readonly line: number;
  readonly then: string;
  /** It matched, or its error counts as a match: it had a part in the verdict. */
  readonly spoke: boolean;
  readonly error: string | undefined;
  readonly because: readonly { readonly text: string; readonly value: Json }[];
}

export interface Explanation {
  readonly verdict: string;
  readonly by: readonly string[];
  readonly reason: string;
  readonly fix: string | undefined;
  /** What an observed environment would have done. */
  readonly would: { readonly verdict: string; readonly by: readonly string[] } | undefined;
  readonly rules: readonly ExplainedRule[];
}

export function explanationOf(value: unknown): Explanation {
  const map = mapOf(value);
  return {
    verdict: textOf(map.verdict),
    by: textsOf(map.by),
    reason: textOf(map.reason),
    fix: typeof map.fix === "string" ? map.fix : undefined,
    would: isMap(map.would) ? { verdict: textOf(map.would.verdict), by: textsOf(map.would.by) } : undefined,
    rules: listOf(map.rules).map(mapOf).map(ruleOf),
  };
}

function ruleOf({ rule, line, then, matched, verdict, error, because }: ReturnType<typeof mapOf>): ExplainedRule {
  return {
    rule: textOf(rule),
    line: numberOf(line),
    then: textOf(then),
    spoke: matched !== "false" || typeof verdict === "string",
    error: typeof error === "string" ? error : undefined,
    because: listOf(because)
      .map(mapOf)
      .map((one) => ({ text: textOf(one.text), value: one.value ?? null })),
  };
}
