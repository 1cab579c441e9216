/** `text.matches(r"pattern")`: the pattern is a literal, read at load, matched in linear time. */
import { createMatcher, type Matcher, type Pattern } from "../regex/match.ts";
import { type Activation, OUT_OF_STEPS } from "./activation.ts";
import type { Evaluate } from "./compile.ts";
import { Fault } from "./issues.ts";
import { withArticle } from "./types.ts";
import { kindOf, type Outcome } from "./values.ts";

/** Visits of a pattern's state that count one step. */
const VISITS_PER_STEP = 64;

export function compileMatches(pattern: Pattern, text: Evaluate, offset: number): Evaluate {
  const match = createMatcher(pattern);
  return (activation) => {
    const value = text(activation);
    if (value instanceof Fault) return value;
    if (typeof value !== "string")
      return new Fault(`\`matches\` needs a string, not ${withArticle(kindOf(value))}`, offset);
    return run(match, value, activation, offset);
  };
}

function run(match: Matcher, text: string, activation: Activation, offset: number): Outcome {
  const matched = match(text, Math.max(0, activation.steps) * VISITS_PER_STEP, (visits) => {
    activation.spend(Math.ceil(visits / VISITS_PER_STEP));
  });
  return matched ?? new Fault(OUT_OF_STEPS, offset);
}
