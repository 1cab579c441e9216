/** What a run was, as steps: the types of a run tree. `toWire` makes the same in snake_case for programs. */
import type { Verdict } from "../decision.ts";
import type { EntryType } from "../log/entry.ts";
import type { Content } from "./content.ts";

/** A stretch of time, ms since 1970 by the store's clock; `to` is null while it lasts, or where nobody knows its end. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number | null;
}

/**
 * Sums. Counts, tokens and cost include what happened within calls, however deep, and nested runs. Times do not: what
 * happens within a call lies within its execution.
 */
export interface Totals {
  readonly calls: number;
  readonly models: number;
  /** Calls that were refused, by rules or people, or that nobody approved in time. */
  readonly denied: number;
  readonly evaluateMs: number;
  readonly waitMs: number;
  readonly executeMs: number;
  readonly modelMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Millionths of a dollar, a whole number in decimal. */
  readonly usdMicros: string;
  /** Some of the cost is an estimate: an answer was cut off, or nobody has said what it used. */
  readonly estimated: boolean;
  /** Calls of models of which nobody knows the price: they count nothing in `usdMicros`. */
  readonly unpriced: number;
}

/** A run from its log entries alone. */
export interface RunTree {
  readonly run: string;
  readonly agent: string | null;
  readonly environment: string | null;
  /** `{id, kind, roles, labels}` of whom the agent acts for; null where the start is not among the entries. */
  readonly principal: Content | null;
  /** What the application stated about the run. */
  readonly context: Content | null;
  /** The person's own words, a list of texts. */
  readonly prompt: Content | null;
  /** The call of another run in whose execution this one was started; null for a run of its own. */
  readonly within: string | null;
  /** Runs around this one, innermost first. */
  readonly around: readonly string[];
  readonly startedAt: number;
  /** Of the last entry. */
  readonly lastAt: number;
  /** Log entries of this run. */
  readonly entries: number;
  /** Numbers of the run's own entries that are not there: this is not the whole run. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
  /** Messages and settings of all prompts, each once; prompts name them by their position. */
  readonly contents: readonly Content[];
  /** Those that stand in no call, in the order of their beginnings; what happened within a call is that call's `steps`. */
  readonly steps: readonly TreeStep[];
  /** Runs that were started within this one and name no call of it. */
  readonly runs: readonly RunTree[];
  readonly totals: Totals;
}

export type TreeStep = ModelStep | ToolStep | EventStep;

interface StepPlace {
  /** From 1, through the whole run in the order in which steps began, a call's own steps behind it. */
  readonly number: number;
  /** Position in the log of its first entry. */
  readonly seq: number;
  readonly at: number;
  /** Null where no entry says it, as for answers of people. */
  readonly agent: string | null;
  /** Model turns of the run before it. */
  readonly turn: number | null;
  /** The call in whose execution it happened. */
  readonly within: string | null;
  /** Its log entries. */
  readonly events: readonly StepEvent[];
}

export interface StepEvent {
  readonly seq: number;
  readonly at: number;
  readonly type: EntryType;
}

/** A question to a model and its answer. */
export interface ModelStep extends StepPlace {
  readonly kind: "model";
  /** Null in logs from before questions had names. */
  readonly id: string | null;
  /** `PROVIDER:MODEL`. */
  readonly model: string | null;
  /** `pending`: no answer yet. `lost`: nobody will say how it ended. `refused`: a budget, a breaker or a stop said no. */
  readonly state: "pending" | "responded" | "failed" | "refused" | "lost";
  /** Why it ended before its end, for an answer that came in part. */
  readonly cutOff: string | null;
  readonly prompt: Prompt | null;
  readonly response: Content | null;
  readonly error: Content | null;
  /** Of a refusal. */
  readonly decision: CallDecision | null;
  readonly execute: TimeSpan;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Millionths of a dollar; null where nobody knows. */
  readonly usdMicros: string | null;
  readonly estimated: boolean;
}

/** What a model was asked: the first `keep` messages of the prompt before it, then `added`. `promptMessages` puts it together. */
export interface Prompt {
  /** TreeStep whose prompt it goes on; null: none. */
  readonly after: number | null;
  readonly keep: number;
  /** Positions in the tree's `contents`; null where the message is not among the entries. */
  readonly added: readonly (number | null)[];
  /** Tools offered, temperature and the like. */
  readonly settings: number | null;
}

/**
 * - `proposed`: no decision among the entries. `waiting`, `suspended`, `approved`: as its approval. `executing`: it has not
 *   ended, as far as the log knows.
 * - `denied`, `expired`, `withdrawn`: it did not run.
 * - `succeeded`, `failed`, `unknown`: how it ended; `unknown` where nobody knows whether the tool has acted.
 */
export type ToolState =
  | "proposed"
  | "waiting"
  | "suspended"
  | "approved"
  | "executing"
  | "denied"
  | "expired"
  | "withdrawn"
  | "succeeded"
  | "failed"
  | "unknown";

/** One gated call of a tool, with all its entries, wherever in the run they stand. */
export interface ToolStep extends StepPlace {
  readonly kind: "call";
  readonly call: string;
  /** Null where the name was taken out of the log. */
  readonly tool: string | null;
  readonly state: ToolState;
  /** Its process ended while it ran. */
  readonly lost: boolean;
  readonly arguments: CallArguments;
  /** The first, and those that followed an approval. */
  readonly decisions: readonly CallDecision[];
  readonly approvals: readonly CallApproval[];
  /** Of a tool that succeeded. */
  readonly result: Content | null;
  /** Of one that did not. */
  readonly error: Content | null;
  /** What the model was told beside the result: that other arguments ran, what a detector has noticed. */
  readonly note: Content | null;
  readonly evaluate: readonly TimeSpan[];
  readonly wait: readonly TimeSpan[];
  readonly execute: TimeSpan | null;
  /** What happened within its execution: sub-agents, tools that it called. */
  readonly steps: readonly TreeStep[];
  /** Runs of their own that were started within its execution. */
  readonly runs: readonly RunTree[];
  /** Of itself and all within it. */
  readonly totals: Totals;
}

export interface CallArguments {
  /** As the agent wrote them; of a malformed call whatever it was. */
  readonly proposed: Content | null;
  /** As the policies would have them run, where they change any. */
  readonly changed: Content | null;
  /** As a person approved them, where one was asked. */
  readonly approved: Content | null;
  /** As the tool got them; null where it did not run. */
  readonly ran: Content | null;
}

export interface CallDecision {
  readonly seq: number;
  readonly at: number;
  readonly verdict: Verdict;
  readonly by: readonly string[];
  readonly revision: string | null;
  /** For the agent, in the rules' own words. */
  readonly reason: string | null;
  readonly fix: string | null;
  /** Rules that matched or erred, with where they stand. */
  readonly rules: readonly RuleStep[];
  /** What observed rules would have said. */
  readonly would: { readonly verdict: string; readonly by: readonly string[] } | null;
  /** Set where it is the look at what a person has approved. */
  readonly approval: string | null;
  /** All of it, with the context that it was made in: so much that it can be made again. */
  readonly content: Content | null;
}

export interface RuleStep {
  readonly rule: string;
  readonly then: string;
  readonly matched: string;
  /** Null: it had no part in the result. */
  readonly verdict: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly error: string | null;
}

export interface CallApproval {
  readonly id: string;
  readonly state: "waiting" | "suspended" | "approved" | "denied" | "expired" | "withdrawn";
  readonly requestedAt: number;
  readonly deadline: number | null;
  /** Why a person is asked. */
  readonly reasons: readonly { readonly id: string; readonly reason: string; readonly route: string | null }[];
  readonly editable: readonly string[];
  /** Who has agreed or refused, the last one last. */
  readonly answers: readonly CallAnswer[];
  readonly answeredAt: number | null;
  /** It is what the call ran by. */
  readonly used: boolean;
}

export interface CallAnswer {
  readonly at: number;
  /** Null for a vote that did not decide. */
  readonly verdict: Verdict | null;
  readonly by: string | null;
  readonly via: string | null;
  readonly verified: boolean;
  readonly note: string | null;
  readonly edited: boolean;
  readonly arguments: Content | null;
}

/** Anything else: a breaker, a budget's mark, a sub-agent's start. */
export interface EventStep extends StepPlace {
  readonly kind: "event";
  readonly type: EntryType;
  readonly parts: readonly { readonly name: string; readonly content: Content }[];
}
