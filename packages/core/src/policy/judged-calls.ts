/** A run whose calls are judged and not made, as lines of calls and tests of policies write it down. */
import type { Verdict } from "../decision.ts";
import { LIMITS } from "../limits.ts";
import type { PastCall, PastCalls } from "../past-calls.ts";

export interface JudgedCall extends Pick<PastCall, "id" | "tool" | "at" | "turn"> {
  /** As they would have run. */
  readonly args: NonNullable<PastCall["args"]>;
  readonly verdict: Verdict;
  /** It says what came back: then it ran, by itself or because a person let it. A denied call never did. */
  readonly ran: boolean;
}

export class JudgedCalls {
  readonly #calls: PastCall[] = [];

  add({ ran, verdict, ...call }: JudgedCall): void {
    // One more than there may be is enough to say that there are too many.
    if (this.#calls.length > LIMITS.historyCalls) return;
    const succeeded = ran && verdict !== "deny";
    this.#calls.push({
      ...call,
      masked: [],
      verdict: succeeded ? "allow" : verdict,
      outcome: succeeded ? "succeeded" : "none",
    });
  }

  /** Of now: what is added later is not in it. */
  history(): PastCalls {
    if (this.#calls.length <= LIMITS.historyCalls) return { calls: [...this.#calls] };
    return { unreadable: `more than ${LIMITS.historyCalls} calls in this run` };
  }
}
