/**
 * What the log says of the protections' rows: which stops are in force, which breakers are not closed, what people raised and
 * granted. Rebuilt from the entries alone, and compared with the rows that calls are judged by.
 *
 * Rows that have gone by their time are no fault: none of them permits anything. What no entry tells (spend, holds, windows of
 * the loop detectors, which arguments a grant holds fast) is not compared, and docs/limits.md says so.
 */
import type { Actor } from "../breaker/person.ts";
import { decodePot } from "../breaker/protect/rows.ts";
import { liftStop, placeStop, type Stop, type StopScope } from "../breaker/stop.ts";
import { agentId } from "../log/agent-id.ts";
import type { StoredEntry } from "../log/entry.ts";
import type { LogFault } from "../log/fault.ts";
import type { EntryHeader } from "../log/header.ts";
import type { Hash, StateKind, StateRow } from "../ports.ts";
import { MASK } from "../redaction/mask.ts";
import { contentOf } from "../search/content.ts";
import { canonicalJson, type Json } from "../value/json.ts";

/** Kinds of rows that are compared. */
export const PROTECTION_KINDS = ["breaker", "grant", "pot", "stops"] as const satisfies readonly StateKind[];

export interface ProtectionStates {
  /** To be shown every entry, in order. */
  see(entry: StoredEntry, header: EntryHeader): void;
  /** All rows of `PROTECTION_KINDS`, as they stand behind the last entry that was seen. */
  faults(rows: Iterable<Pick<StateRow, "kind" | "id" | "value">>): readonly LogFault[];
}

/** Of one grant, as the answer that gave it says. */
interface GivenGrant {
  readonly seq: number;
  readonly run: string;
  /** No grant of it holds longer, ms. */
  readonly until: number;
  readonly count: number;
  readonly most: number | null;
  readonly same: readonly string[];
  used: number;
  isOver: boolean;
}

/** Whose call a question was about; undefined where no header says it. */
type AskedFor = Readonly<Record<"agent" | "environment" | "tool", string | undefined>>;

interface BreakerState {
  readonly seq: number;
  readonly to: string;
  readonly trip: Json;
}

type Members = Readonly<Record<string, Json>>;

/** `archived`: the first entries are not there, so that what stands may be from them. */
export function createProtectionStates(archived: boolean, hash: Hash): ProtectionStates {
  const stops = new Map<string, Stop & { readonly seq: number }>();
  const lifted = new Map<string, number>();
  const breakers = new Map<string, BreakerState>();
  const raised = new Map<string, { readonly seq: number; readonly amount: bigint }>();
  const grants = new Map<string, GivenGrant>();
  const asked = new Map<string, AskedFor>();
  /** Runs that were started within another: their grants stand under the root of their tree. */
  const nested = new Set<string>();
  let epoch = 0;
  /** False once an act is archived or erased: rows that nothing explains may be of it. */
  let whole = !archived;

  function act(entry: StoredEntry, name: string): Members | undefined {
    const part = entry.parts.find((one) => one.name === name);
    const content = part === undefined ? undefined : contentOf(part);
    if (isMap(content)) return content;
    whole = false;
    return undefined;
  }

  function place({ seq }: StoredEntry, said: Members, now: number): void {
    const { id, scope, reason, by } = said as Members & { scope: StopScope & Json; by: Actor & Json };
    epoch++;
    const placed = placeStop({ id: String(id), scope, reason: String(reason), epoch }, by, now);
    if (placed.ok) stops.set(placed.stop.id, { ...placed.stop, seq });
  }

  function lift({ seq }: StoredEntry, said: Members, now: number): void {
    const { id, reason, by } = said as Members & { by: Actor & Json };
    epoch++;
    const stop = stops.get(String(id));
    if (stop === undefined) {
      lifted.set(String(id), seq);
      return;
    }
    const { seq: _, ...of } = stop;
    const step = liftStop(of, by, String(reason), now);
    if (!step.ok) return;
    if (step.stop.lifted === null) stops.set(stop.id, { ...step.stop, seq });
    else {
      stops.delete(stop.id);
      lifted.set(stop.id, seq);
    }
  }

  function give(seq: number, { approval, run, time }: EntryHeader, said: Members): void {
    const { grant } = said;
    if (approval === undefined || run === undefined || !isMap(grant)) return;
    const { forMs, count, sum, same } = grant;
    const most = isMap(sum) ? Number(sum.most) : null;
    const kept = Array.isArray(same) ? same.map(String) : [];
    const until = time + Number(forMs);
    grants.set(approval, {
      ...{ seq, run: run.id, until, count: Number(count), most, same: kept },
      ...{ used: 0, isOver: false },
    });
  }

  function see(entry: StoredEntry, header: EntryHeader): void {
    const { type, time, approval, rules = [] } = header;
    switch (type) {
      case "run.started":
        if (header.within !== undefined && header.run !== undefined) nested.add(header.run.id);
        return;
      case "approval.requested":
        if (approval !== undefined)
          asked.set(approval, { agent: header.agent, environment: header.environment, tool: header.tool });
        return;
      case "stop.placed":
      case "stop.lifted": {
        const said = act(entry, "act");
        if (said !== undefined) (type === "stop.placed" ? place : lift)(entry, said, time);
        return;
      }
      case "breaker.stopped":
      case "breaker.open":
      case "breaker.half_open":
      case "breaker.closed": {
        const said = act(entry, "breaker");
        const { breaker, to, trip = null } = said ?? {};
        if (typeof breaker === "string") breakers.set(breaker, { seq: entry.seq, to: String(to), trip });
        return;
      }
      case "budget.raised": {
        const said = act(entry, "act");
        const pot = String(said?.pot);
        const before = raised.get(pot)?.amount ?? 0n;
        if (said !== undefined) raised.set(pot, { seq: entry.seq, amount: before + BigInt(String(said.amount)) });
        return;
      }
      case "approval.decided": {
        const said = header.verdict === "allow" ? act(entry, "actor") : undefined;
        if (said !== undefined) give(entry.seq, header, said);
        return;
      }
      case "grant.revoked": {
        const known = grants.get(approval ?? "");
        if (known !== undefined) known.isOver = true;
        return;
      }
      case "log.restored":
        for (const known of grants.values()) known.isOver = true;
        return;
      case "call.decided":
        if (header.verdict === "allow") use(rules);
        return;
      default:
        return;
    }
  }

  function use(rules: readonly string[]): void {
    for (const rule of rules) {
      const known = rule.startsWith("grant:") ? grants.get(rule.slice("grant:".length)) : undefined;
      if (known !== undefined) known.used++;
    }
  }

  function stopFaults(value: Json | undefined): LogFault[] {
    const board = isMap(value) && Array.isArray(value.stops) ? value : { epoch: 0, stops: [] };
    const found = new Map((board.stops as readonly Json[]).map((stop) => [isMap(stop) ? String(stop.id) : "", stop]));
    const faults: LogFault[] = [];
    for (const [id, { seq, ...stop }] of stops) {
      const row = found.get(id);
      if (row === undefined)
        faults.push(fault("missing", seq, `stops/${id}`, "a stop that nobody has lifted is missing"));
      else if (!isSameStop(row, stop, whole)) faults.push(changed(seq, `stops/${id}`));
    }
    for (const id of found.keys()) {
      const seq = lifted.get(id);
      if (stops.has(id) || (seq === undefined && !whole)) continue;
      const why = seq === undefined ? "no entry of the log speaks of this stop" : "this stop was lifted";
      faults.push(fault("inserted", seq ?? 0, `stops/${id}`, why));
    }
    if (whole && faults.length === 0 && board.epoch !== epoch) faults.push(changed(0, "stops/board"));
    return faults;
  }

  function breakerFaults(rows: ReadonlyMap<string, Json>): LogFault[] {
    const faults: LogFault[] = [];
    for (const [id, { seq, to, trip }] of breakers) {
      const row = rows.get(id);
      // One that is closed goes by its time.
      if (row === undefined && to !== "closed")
        faults.push(fault("missing", seq, `breaker/${id}`, `a breaker that is ${to} is missing`));
      else if (row !== undefined && !isSameBreaker(row, to, trip)) faults.push(changed(seq, `breaker/${id}`));
    }
    for (const [id, row] of rows) {
      if (!whole || breakers.has(id) || (isMap(row) && row.state === "closed")) continue;
      faults.push(fault("inserted", 0, `breaker/${id}`, "no entry of the log speaks of this breaker"));
    }
    return faults;
  }

  /** Less room than people gave harms nobody, and an erasure may have taken a pot with what was raised. */
  function potFaults(rows: ReadonlyMap<string, Json>): LogFault[] {
    if (!whole) return [];
    return [...rows].flatMap(([id, value]) => {
      const known = raised.get(id);
      const of = read(() => decodePot(value));
      const isMore = of === undefined || of.raised - (of.lent ?? 0n) > (known?.amount ?? 0n);
      return isMore ? [changed(known?.seq ?? 0, `pot/${id}`)] : [];
    });
  }

  function grantFaults(rows: ReadonlyMap<string, Json>): LogFault[] {
    return [...rows].flatMap(([id, value]) => {
      const approval = isMap(value) ? String(value.approval) : "";
      const known = grants.get(approval);
      if (known === undefined)
        return whole ? [fault("inserted", 0, `grant/${id}`, "no entry of the log gives this grant")] : [];
      if (known.isOver) return [fault("inserted", known.seq, `grant/${id}`, "this grant was taken back")];
      const isSame =
        isMap(value) && isWithin(value, known, asked.get(approval), hash) && isPlaced(id, approval, known.run);
      return isSame ? [] : [changed(known.seq, `grant/${id}`)];
    });
  }

  function isPlaced(id: string, approval: string, run: string): boolean {
    if (!id.endsWith(`/${approval}`)) return false;
    const scope = read(() => JSON.parse(id.slice(0, -approval.length - 1)) as unknown);
    return Array.isArray(scope) && (scope[0] === run || nested.has(run));
  }

  return {
    see,
    faults(rows) {
      const by = new Map(PROTECTION_KINDS.map((kind) => [kind as StateKind, new Map<string, Json>()]));
      for (const { kind, id, value } of rows) by.get(kind)?.set(id, value);
      const of = (kind: StateKind) => by.get(kind) ?? new Map<string, Json>();
      return [
        ...stopFaults(of("stops").get("board")),
        ...breakerFaults(of("breaker")),
        ...potFaults(of("pot")),
        ...grantFaults(of("grant")),
      ];
    },
  };
}

/** What a mask stands in is not compared; without the first entries nobody knows how many there were before. */
function isSameStop(row: Json, stop: Stop, counted: boolean): boolean {
  if (!isMap(row)) return false;
  const { epoch, reason, lifts, ...rest } = row;
  const same = (one: Json | undefined, other: string) => other.includes(MASK) || one === other;
  const { epoch: _, reason: said, lifts: wanted, ...expected } = stop;
  if (canonicalJson(rest) !== canonicalJson(expected) || !same(reason, said)) return false;
  if (!Array.isArray(lifts) || lifts.length !== wanted.length) return false;
  const isLift = (lift: Json, index: number) => {
    const of = wanted[index];
    return of !== undefined && isMap(lift) && lift.by === of.by && lift.at === of.at && same(lift.reason, of.reason);
  };
  return lifts.every(isLift) && (!counted || epoch === stop.epoch);
}

function isSameBreaker(row: Json, to: string, trip: Json): boolean {
  if (!isMap(row) || row.state !== to) return false;
  if (to !== "stopped") return true;
  const [found, known] = [row.trip, trip];
  return isMap(found) && isMap(known) && ["cause", "by", "at"].every((name) => found[name] === known[name]);
}

function isWithin(row: Members, known: GivenGrant, asked: AskedFor | undefined, hash: Hash): boolean {
  const { until, count, sum, same, tool, environment } = row;
  // Rows name the agent, headers its id.
  const agent = typeof row.agent === "string" ? agentId(row.agent, hash) : undefined;
  const told = Object.entries(asked ?? {}).every(
    ([name, value]) => value === undefined || { tool, agent, environment }[name] === value,
  );
  const paths = Array.isArray(same) ? same.map((pair) => (Array.isArray(pair) ? pair[0] : undefined)) : [];
  const left = isMap(sum) ? Number(sum.left) : null;
  return (
    told &&
    Number(until) <= known.until &&
    Number(count) <= known.count - known.used &&
    known.same.every((path) => paths.includes(path)) &&
    (known.most === null ? sum === null : left !== null && left <= known.most)
  );
}

function changed(seq: number, where: string): LogFault {
  return fault("changed", seq, where, "the row is not what the log says");
}

function fault(kind: LogFault["fault"], seq: number, where: string, message: string): LogFault {
  return { seq, fault: kind, where, message };
}

/** What is stored is not believed to be what was written. */
function read<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function isMap(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
