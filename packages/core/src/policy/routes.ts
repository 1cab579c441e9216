/** Who is asked: a rule's `approval` with its route, resolved at load. */
import type { ApprovalTerms } from "../decision.ts";
import { LIMITS } from "../limits.ts";
import type { RouteSource, RuleSource } from "./format.ts";
import { type Issues, quote } from "./issue.ts";
import { nearest } from "./nearest.ts";
import { hint } from "./read.ts";
import type { Located } from "./shape.ts";

const DEFAULT_ROUTE = "default";

export function checkRoutes(routes: ReadonlyMap<string, RouteSource>, issues: Issues): void {
  for (const [name, route] of routes) {
    for (const key of ["to", "roles"] as const) {
      if (route[key]?.length === 0) {
        issues.error("empty", route.span, `route ${quote(name)} has an empty \`${key}\`, so nobody could answer`);
      }
    }
  }
}

/** The terms of a rule that may pause. Where its route is unknown the issue is said and the default stands in. */
export function termsOf(rule: RuleSource, routes: ReadonlyMap<string, RouteSource>, issues: Issues): ApprovalTerms {
  const named = rule.approval?.route;
  if (named !== undefined && named.value !== DEFAULT_ROUTE && !routes.has(named.value)) {
    const suggestion = nearest(named.value, [...routes.keys(), DEFAULT_ROUTE]);
    issues.error("unknown-route", named.span, `unknown route ${quote(named.value)}${hint(suggestion)}`, {
      rule: rule.id.value,
      suggestion,
    });
  }
  const name = named?.value ?? DEFAULT_ROUTE;
  const route = routes.get(name);
  return {
    route: name,
    to: route?.to ?? ["dashboard"],
    roles: route?.roles?.map((role) => role.value) ?? ["approver"],
    need: route?.need ?? 1,
    withinMs: route?.within ?? LIMITS.approvalWithinMs,
    show: paths(rule.approval?.show),
    editable: paths(rule.approval?.editable),
  };
}

/** `args.amount` and `amount` are one path. */
function paths(written: readonly Located[] | undefined): readonly string[] {
  return (written ?? []).map((path) => path.value.replace(/^args\./, ""));
}
