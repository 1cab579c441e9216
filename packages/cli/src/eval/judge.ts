/** One line of calls → one line of decision (`saferun eval`). Whatever is wrong with a line is a denial of that line. */
import type { ChangedArguments, PolicySet } from "@saferun/core";
import { lineContexts, lineProblemText, readCallLine } from "./call-line.ts";
import { LineRuns } from "./line-runs.ts";

export interface JudgePorts {
  readonly policies: PolicySet;
  /** Ms: the moment of lines without `now`. */
  readonly start: number;
}

export interface DecisionLine {
  readonly verdict: "allow" | "deny" | "pause";
  readonly by: readonly string[];
  readonly reason: string;
  readonly revision: string;
  /** What would run instead of the line's own arguments. */
  readonly changed?: ChangedArguments;
  readonly error?: string;
}

export interface Judge {
  /** Total. */
  decide(line: string): DecisionLine;
  /** The answer to a line that could not even be read as text. */
  refuse(message: string): DecisionLine;
}

export function createJudge({ policies, start }: JudgePorts): Judge {
  const contextOf = lineContexts(start);
  const runs = policies.readsHistory() ? new LineRuns() : undefined;
  let number = 0;

  function refuse(message: string): DecisionLine {
    number++;
    return malformed(message, policies.revision);
  }

  function decide(text: string): DecisionLine {
    number++;
    try {
      const line = readCallLine(text);
      const context = contextOf(line, number);
      const decision = policies.evaluate(line.call, context, runs?.before(line));
      runs?.add(line, context, decision);
      const { verdict, by, reason, revision, changed } = decision;
      return { verdict, by, reason, revision, ...(changed === undefined ? {} : { changed }) };
    } catch (error) {
      // Also our own bugs: a line without an answer would be read as none needed.
      return malformed(lineProblemText(error), policies.revision);
    }
  }

  return { decide, refuse };
}

function malformed(message: string, revision: string): DecisionLine {
  const reason = "the line is not a call, so it is denied";
  return { verdict: "deny", by: ["call.malformed"], reason, revision, error: message };
}
