/** What the gate says about a call. A denial is such a value: recorded, returned, never thrown. */
import type { ArgumentUnits } from "./argument-units.ts";
import type { Json, JsonObject } from "./value/json.ts";

export type Verdict = "allow" | "deny" | "pause";

/** Position of a piece of policy text; line and column count from 1, columns in UTF-16 code units. */
export interface Span {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Why a call must ask a person. An approval discharges exactly the reasons that its approver saw. */
export interface PauseReason {
  /** Rule id (later also `budget:ID`, `breaker:ID`, `sink:TOOL.PATH`). */
  readonly id: string;
  /** Digest of the rule's definition: a changed rule is another reason. */
  readonly digest: string;
  readonly reason: string;
  readonly approval: ApprovalTerms;
  /** Of a detector: what its approval covers. */
  readonly finding?: { readonly key: string; readonly count: number };
}

/** Who is asked and what they may change; from a rule's `approval` and its route. */
export interface ApprovalTerms {
  readonly route: string;
  readonly to: readonly string[];
  readonly roles: readonly string[];
  /** Distinct people who must agree. */
  readonly need: number;
  /** Who may not answer; absent: everybody with the role may. */
  readonly not?: readonly "requester"[];
  readonly withinMs: number;
  /** Who is asked too when nobody has answered by then, soonest first; absent: nobody. */
  readonly after?: readonly Escalation[];
  /** Argument paths shown first, without the leading `args.`. They order, they hide nothing. */
  readonly show: readonly string[];
  /** Argument paths that the approver may change, without the leading `args.`. */
  readonly editable: readonly string[];
  /** A person may permit the like for a while. */
  readonly grantable?: boolean;
}

export interface Escalation {
  /** Since the question was put. */
  readonly afterMs: number;
  readonly to: readonly string[];
}

/** One rule's part in a decision, for people. */
export interface RuleOutcome {
  readonly rule: string;
  readonly span: Span;
  readonly then: Verdict;
  /** `true` matched, `false` did not, `error` could not be evaluated (deny and pause rules then count as matched). */
  readonly matched: "true" | "false" | "error";
  /** `then`, or the verdict of `else`; null when it had no part in the result. */
  readonly verdict: Verdict | null;
  /** What it was on the changed arguments; absent where nothing was changed, or where it was the same. */
  readonly again?: "true" | "false" | "error";
  /** Present when `matched` is `error`. */
  readonly error?: string;
  /** The condition's parts with the values that made them what they are; only in explanations. */
  readonly because?: readonly { readonly text: string; readonly value: Json | { readonly error: string } }[];
}

/** Arguments that differ from the ones that were judged first. */
export type ChangedArguments = {
  /** All of them, as they would run: bound from the session and changed by rules. Deeply frozen. */
  readonly args: JsonObject;
  /** Where they differ, such as `amount` and `customer.id`. */
  readonly paths: readonly string[];
};

/** The combined verdict with its reasons (policy-reference.md, S1). */
export interface Decision {
  readonly verdict: Verdict;
  /**
   * Ids of all rules with the final verdict, or `unmatched:ENV`, `observe:ENV`, `schema:TOOL`, `bind:TOOL.PATH`, or
   * `call.malformed` and the like; sorted.
   */
  readonly by: readonly string[];
  /** For the agent: the rules' own words, nothing computed. */
  readonly reason: string;
  /** For the agent: what to do instead, where a rule says so. */
  readonly fix?: string;
  readonly revision: string;
  /** Rules that matched or erred, by id. Rules that simply did not match appear in explanations only. */
  readonly rules: readonly RuleOutcome[];
  /** Every matching pause, by id; empty unless the verdict is `pause`. */
  readonly pauses: readonly PauseReason[];
  /** What the policies make of the arguments: exactly these may run. Absent when nothing differs, and on a denial. */
  readonly changed?: ChangedArguments;
  /** What the arguments that would run count, for people; absent where nothing is known of them. */
  readonly units?: ArgumentUnits;
  /** What observed rules (or an observed environment) would have said; absent when nothing is observed. */
  readonly would?: {
    readonly verdict: Verdict;
    readonly by: readonly string[];
    readonly changed?: ChangedArguments;
  };
}

/** What the agent is told of a call that did not run, in words that do not make loops (traps.md, 27). */
export interface Denial {
  readonly status: "denied" | "expired" | "aborted" | "unavailable" | "pending";
  readonly callId: string;
  readonly tool: string;
  readonly rules: readonly string[];
  readonly reason: string;
  readonly fix?: string;
  /** What a pending call waits for. */
  readonly approval?: string;
  /** False where the same arguments get the same answer. */
  readonly retry: boolean;
}

/** For whom the agent acts; from the host only. */
export interface Principal {
  readonly id: string;
  readonly kind: "person" | "service" | "none";
  readonly roles: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** All that could differ the next time the same call is judged; recorded, so that replay is the same evaluation. */
export interface EvaluationContext {
  readonly agent: string;
  readonly environment: string;
  readonly principal: Principal;
  /** What the application states about the run (`context.*` in conditions). */
  readonly context: JsonObject;
  readonly run: { readonly id: string; readonly prompted: boolean; readonly untrusted: boolean; readonly turn: number };
  readonly call: { readonly id: string; readonly depth: number; readonly attempt: number };
  /** Ms since 1970, the gate's clock at proposal. */
  readonly now: number;
}
