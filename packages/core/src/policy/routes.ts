/** Who is asked: a rule's `approval` with its route, resolved at load. */
import type { ApprovalTerms, Escalation } from "../decision.ts";
import { LIMITS } from "../limits.ts";
import { parseRouteTarget } from "../route-target.ts";
import type { RouteSource, RuleSource } from "./format.ts";
import { type Issues, quote } from "./issue.ts";
import { nearest } from "./nearest.ts";
import { durationMs, hint } from "./read.ts";
import type { Located } from "./shape.ts";

const DEFAULT_ROUTE = "default";

export function checkRoutes(routes: ReadonlyMap<string, RouteSource>, issues: Issues): void {
  for (const [name, route] of routes) {
    for (const key of ["to", "roles"] as const) {
      if (route[key]?.length === 0) {
        issues.error("empty", route.span, `route ${quote(name)} has an empty \`${key}\`, so nobody could answer`);
      }
    }
    for (const target of route.to ?? []) checkTarget(target, issues);
    for (const level of route.after ?? []) checkLevel(name, level, route, issues);
  }
}

type Level = NonNullable<RouteSource["after"]>[number];

function checkLevel(route: string, level: Level, { within, span }: RouteSource, issues: Issues): void {
  if (level.length === 0) issues.error("empty", span, `route ${quote(route)} has an empty level in \`after\``);
  for (const { key, span: at, value } of level) {
    const afterMs = durationMs(key);
    if (afterMs === undefined) {
      issues.error("bad-value", at, `\`after\` cannot be ${quote(key)}; expected a time such as \`30m\``);
    } else if (afterMs >= (within ?? LIMITS.approvalWithinMs)) {
      issues.error(
        "bad-value",
        at,
        `route ${quote(route)} asks on after ${quote(key)}, when its time is over and silence has denied; make \`within\` longer`,
      );
    }
    if (value.length === 0) issues.error("empty", at, `${quote(key)} names nobody`);
    for (const target of value) checkTarget(target, issues);
  }
}

function checkTarget({ value, span }: Located, issues: Issues): void {
  const parsed = parseRouteTarget(value);
  if (!parsed.ok) issues.error("bad-value", span, parsed.message);
}

/** The terms of a rule that may pause. Where its route is unknown the issue is said and the default stands in. */
export function termsOf(
  approval: RuleSource["approval"],
  rule: string,
  routes: ReadonlyMap<string, RouteSource>,
  issues: Issues,
): ApprovalTerms {
  const named = approval?.route;
  if (named !== undefined && named.value !== DEFAULT_ROUTE && !routes.has(named.value)) {
    const suggestion = nearest(named.value, [...routes.keys(), DEFAULT_ROUTE]);
    issues.error("unknown-route", named.span, `unknown route ${quote(named.value)}${hint(suggestion)}`, {
      rule,
      suggestion,
    });
  }
  const name = named?.value ?? DEFAULT_ROUTE;
  const route = routes.get(name);
  const after = escalationsOf(route);
  return {
    route: name,
    to: values(route?.to) ?? ["dashboard"],
    roles: values(route?.roles) ?? ["approver"],
    need: route?.need ?? 1,
    ...(route?.not === undefined ? {} : { not: route.not }),
    withinMs: route?.within ?? LIMITS.approvalWithinMs,
    ...(after.length === 0 ? {} : { after }),
    show: paths(approval?.show),
    editable: paths(approval?.editable),
    ...(approval?.grantable === true ? { grantable: true } : {}),
  };
}

/** Soonest first. */
function escalationsOf(route: RouteSource | undefined): Escalation[] {
  const levels = (route?.after ?? []).flat().map(({ key, value }) => ({
    afterMs: durationMs(key) ?? 0,
    to: value.map((target) => target.value),
  }));
  return levels.sort((left, right) => left.afterMs - right.afterMs);
}

function values(written: readonly Located[] | undefined): readonly string[] | undefined {
  return written?.map(({ value }) => value);
}

/** `args.amount` and `amount` are one path. */
function paths(written: readonly Located[] | undefined): readonly string[] {
  return (written ?? []).map((path) => path.value.replace(/^args\./, ""));
}
