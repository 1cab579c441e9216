/** What one call of a model wants of the budgets, and what its usage comes to in them. */
import type { HoldPart } from "../breaker/budget/hold.ts";
import type { PotClaim } from "../breaker/protect/motion.ts";
import type { ModelBound, ModelBudgetClaim } from "../budget.ts";
import { potClaim, type Windows } from "./call-protection.ts";

export interface ModelClaims {
  readonly claims: readonly PotClaim[];
  readonly declared: readonly ModelBudgetClaim[];
  /** Budgets that cannot say what they want: the call is denied. */
  readonly faults: readonly ModelBudgetClaim[];
  /** Pots whose policy lets a call without a bound pass. */
  readonly unbounded: readonly string[];
  /** What really was used, by pot; one of which nobody knows is not named, and books what was held. */
  actual(used: ModelBound): readonly HoldPart[];
}

const NO_CLAIMS: ModelClaims = { claims: [], declared: [], faults: [], unbounded: [], actual: () => [] };

/** Pure but for the time. `declared` are the claims of the policies, for this bound. */
export function modelClaims(
  declared: readonly ModelBudgetClaim[],
  environment: string,
  { run, zones = () => undefined, at }: Windows,
): ModelClaims {
  if (declared.length === 0) return NO_CLAIMS;
  const place = { environment, run, zones, now: at() };
  const claims: PotClaim[] = [];
  const faults: ModelBudgetClaim[] = [];
  const unbounded: string[] = [];
  const counted: { readonly pot: string; readonly counts: ModelBudgetClaim["counts"] }[] = [];
  for (const claim of declared) {
    const passes = claim.amount === null && claim.unpriced === "allow";
    // It never counts as nothing: where no step is left, it does not pass either.
    const claimed = potClaim(passes ? { ...claim, amount: 1n } : claim, place);
    if (claimed === undefined) faults.push(faulty(claim));
    else {
      claims.push(claimed);
      counted.push({ pot: claimed.pot, counts: claim.counts });
      if (passes) unbounded.push(claimed.pot);
    }
  }
  const actual = ({ usdMicros, tokens }: ModelBound): readonly HoldPart[] =>
    counted.flatMap(({ pot, counts }) => {
      const amount = counts === "usd" ? usdMicros : counts === "tokens" ? tokens : 1n;
      return amount === null ? [] : [{ pot, amount }];
    });
  return { claims, declared, faults, unbounded, actual };
}

function faulty(claim: ModelBudgetClaim): ModelBudgetClaim {
  const { budget, fault = "its window cannot be told", unpriced } = claim;
  const reason = `the budget \`${budget}\` cannot tell what this call would take of it: ${fault}`;
  return { reason, fix: unpriced === "pause" ? UNASKED : UNPRICED, ...claim };
}

const UNPRICED = "name the model's price in `prices`, bound its answer by `maxOutputTokens`, or say `unpriced: allow`";

/** What a budget that would rather ask says instead. */
export const UNASKED =
  "nobody can be asked while a model is called; a person may give the budget more room with `saferun budgets`";
