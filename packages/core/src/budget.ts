/** What the policies say about limits over time. The breaker engine holds and settles; this is only what it is told. */
import type { PauseReason, Span } from "./decision.ts";

export type BudgetWindow =
  | { readonly kind: "run" }
  | { readonly kind: "ever" }
  | { readonly kind: "fixed"; readonly ms: number }
  | { readonly kind: "calendar"; readonly unit: "hour" | "day" | "week" | "month"; readonly zone: string }
  | { readonly kind: "sliding"; readonly ms: number };

/** What one call wants of one budget. */
export interface BudgetClaim {
  /** Id of the budget; `budget:ID` in decisions. */
  readonly budget: string;
  /** Of the declaration, hex: a changed budget is another reason to ask. */
  readonly digest: string;
  /** `usd_cents`; amounts are in its smallest step (`amountOf`). */
  readonly unit: string;
  /** The evaluated `per.key`, as texts. The environment is not among them: `potId` adds it. Empty where `fault` is set. */
  readonly key: readonly string[];
  readonly window: BudgetWindow;
  readonly limit: bigint;
  readonly over: "pause" | "deny";
  /** Null: it cannot be said, and `fault` says why. The call is then denied, whatever `over` is, unless `unpriced` says otherwise. */
  readonly amount: bigint | null;
  /** For people: may hold names of arguments, never their values. */
  readonly fault?: string;
  /** Only of model calls whose price or bound is unknown, where the policy chose so. Absent: denied. */
  readonly unpriced?: "pause" | "allow";
  /**
   * What was really used, from the tool's result: where the budget has `settle`. Total. Undefined: the result does not say, and
   * what was held is booked.
   */
  readonly actual?: (result: unknown) => bigint | undefined;
  /** What a person is asked where `over` is `pause`; for a raise of the limit as well. */
  readonly pause: PauseReason;
  /** For the agent, from the declaration. */
  readonly reason?: string;
  readonly fix?: string;
  readonly span: Span;
}

/** What one model call may use at most. Null: unknown, which the policy decides about and never reads as zero. */
export interface ModelBound {
  /** Price × (input bound + most output), millionths of a dollar. */
  readonly usdMicros: bigint | null;
  readonly tokens: bigint | null;
}

/** A budget's claim on a model call, and what its amount counts: for settling by the real usage. */
export interface ModelBudgetClaim extends BudgetClaim {
  readonly counts: "usd" | "tokens" | "calls";
}
