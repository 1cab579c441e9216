/**
 * What has to go out with a question, a later level of it, or an alarm: one row for each place outside of the store. Its
 * own transaction writes them, so that whoever dies after it has not forgotten to tell.
 */
import type { ApprovalRecord } from "../approval/approval.ts";
import type { Alarm, Outbox, Policies, StateRow } from "../ports.ts";
import { parseRouteTarget } from "../route-target.ts";
import { type AlarmText, type OutboxRow, queued } from "./outbox.ts";
import { toState } from "./outbox-rows.ts";

/** An alarm that could not be told for a day is found in the record. */
const ALARM_MS = 86_400_000;

/** Alarms go to the route `default` of the policies in force. */
export function createOutbox(policies: Policies): Outbox {
  return {
    asked: (approval) => askedRows(approval, placesOf(approval), approval.createdAt),
    alarmed(alarm, id, now) {
      const lines = alarmLines(alarm);
      if (lines.length === 0) return [];
      const { run, agent, environment } = alarm;
      const text: AlarmText = { run, agent, environment, lines };
      const about = { approval: id, alarm: text, kind: "alarm", version: 1, giveUpAt: now + ALARM_MS } as const;
      return channelsAmong(policies.current().approval.to).map((channel) =>
        toState(queued({ ...about, channel }, now)),
      );
    },
  };
}

/** The question is put at these places; `dashboard` and `cli` look at the store by themselves. */
export function askedRows(approval: ApprovalRecord, to: readonly string[], now: number): readonly StateRow[] {
  const { id, version, deadline } = approval;
  const about = { approval: id, kind: "asked", version, giveUpAt: deadline } as const;
  return channelsAmong(to).map((channel) => toState(queued({ ...about, channel }, now)));
}

/** Where the question stands: what the dispatcher of its messages compares with what they show. */
export interface Standing {
  /** `held`: suspended, and asked again later. */
  readonly state: "open" | "held" | "over";
  readonly version: number;
  /** Differs where its messages have to be changed. */
  readonly reads: string;
}

export function standingOf({ state, deadline, since, version, votes }: ApprovalRecord, now: number): Standing {
  const open = state === "pending" ? "open" : state === "suspended" ? "held" : "over";
  return { state: now < deadline ? open : "over", version, reads: `${since} ${votes.length}` };
}

/** The row that tells, where it was sent, what became of the question. */
export function followed(row: OutboxRow, { state, version }: Standing, now: number): OutboxRow {
  const { approval, channel, giveUpAt } = row;
  const about = { approval, channel, version };
  if (state !== "over") return queued({ ...about, kind: "changed", giveUpAt }, now);
  return queued({ ...about, kind: "closed", giveUpAt: now + ALARM_MS }, now);
}

/** What an operator must hear of; empty where it can wait. One line each, without arguments. */
export function alarmLines({ agent, changes, exceeded, marks, quotas = [] }: Alarm): readonly string[] {
  const changed = changes.flatMap(({ scope, name, to, trip }) => {
    if (to === "stopped") {
      const why = trip === null ? "" : `: ${trip.reason}`;
      return [`the ${scope} \`${name}\` is stopped until a person resets it (\`saferun breakers\`)${why}`];
    }
    return to === "open" ? [`the tool \`${name}\` fails and is left alone for a while (\`saferun breakers\`)`] : [];
  });
  const full = marks.filter(({ percent }) => percent >= 100).map(({ pot }) => budgetOf(pot));
  const reached = [...new Set(full)].map((budget) => `the budget \`${budget}\` is used up (\`saferun budgets\`)`);
  const over = `a call used more than it had held, by agent \`${agent}\` (\`saferun budgets\`)`;
  const filled = quotas.map(
    ({ scope, name, percent, limit }) =>
      `the ${scope} \`${name}\` has filled ${percent} % of the ${limit} bytes that it may record; beyond, its calls are denied`,
  );
  return [...changed, ...reached, ...(exceeded.length > 0 ? [over] : []), ...filled];
}

function placesOf({ reasons }: ApprovalRecord): readonly string[] {
  return reasons.flatMap(({ approval }) => approval.to);
}

function channelsAmong(places: readonly string[]): readonly string[] {
  return [...new Set(places)].filter((place) => {
    const parsed = parseRouteTarget(place);
    return parsed.ok && "target" in parsed.target;
  });
}

/** `potId` begins with the budget's name. */
function budgetOf(pot: string): string {
  return /^\["((?:[^"\\]|\\.)*)"/.exec(pot)?.[1] ?? pot;
}
