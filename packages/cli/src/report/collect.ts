/** What an auditor asks of a span of time, gathered from the log's entries alone. */

import { AgentNames, type EntryHeader, type Json, parseHeader, type Store, type StoredEntry } from "@saferun/core";
import { partJson } from "@saferun/server/wire";

export interface ReportPeriod {
  /** ms, inclusive and exclusive. */
  readonly from: number;
  readonly to: number;
}

/** Something that happened, with the entry that says so. */
export interface Happening {
  readonly entry: number;
  /** ms. */
  readonly at: number;
  readonly type: string;
  readonly tool?: string;
  readonly agent?: string;
  readonly environment?: string;
  readonly call?: string;
  readonly run?: string;
  readonly rules?: readonly string[];
  readonly revision?: string;
  /** Who it was, where a person acted. */
  readonly by?: string;
  readonly verdict?: string;
  /** The content of the entry's parts that a person wrote or was shown. */
  readonly said?: Readonly<Record<string, Json>>;
}

export interface ReportLists {
  /** Revisions that came into force, or were kept out; the first is the one in force when the period began. */
  readonly revisions: readonly Happening[];
  readonly approvals: readonly Happening[];
  /** Denials, expired questions, unknown and failed outcomes, gaps in the record. */
  readonly exceptions: readonly Happening[];
  readonly stops: readonly Happening[];
  /** Entries about the log itself: opened, recovered, keys changed; who looked at content, and took it out. */
  readonly record: readonly Happening[];
}

export interface Collected extends ReportLists {
  readonly entries: number;
  readonly calls: {
    readonly proposed: number;
    readonly executed: number;
    readonly denied: number;
    readonly asked: number;
  };
  /** Executed calls by tool, most first. */
  readonly tools: readonly { readonly tool: string; readonly executed: number }[];
  /** Of each list, how many more there were than are kept. */
  readonly left: Readonly<Record<keyof ReportLists, number>>;
}

/** Kept of each list: an auditor reads no more, and the log has them all. */
const MOST = 5_000;
const PAGE = 1_000;

const LISTS: Readonly<Record<string, keyof ReportLists>> = {
  "policy.activated": "revisions",
  "policy.rejected": "revisions",
  "approval.voted": "approvals",
  "approval.decided": "approvals",
  "approval.expired": "exceptions",
  "call.lost": "exceptions",
  "call.reconciled": "exceptions",
  "model.failed": "exceptions",
  "budget.exceeded": "exceptions",
  "operator.refused": "exceptions",
  "clock.jumped": "exceptions",
  "budget.raised": "approvals",
  "denial.lifted": "approvals",
  "grant.revoked": "approvals",
  "stop.placed": "stops",
  "stop.lifted": "stops",
  "breaker.stopped": "stops",
  "breaker.open": "stops",
  "breaker.closed": "stops",
  "breaker.reset": "stops",
  "log.opened": "record",
  "log.recovered": "record",
  "log.rotated": "record",
  "log.restored": "record",
  "log.exported": "record",
  "payload.viewed": "record",
};

export async function collect(store: Pick<Store, "entries">, { from, to }: ReportPeriod): Promise<Collected> {
  const lists: Record<keyof ReportLists, Happening[]> = {
    revisions: [],
    approvals: [],
    exceptions: [],
    stops: [],
    record: [],
  };
  const left = { revisions: 0, approvals: 0, exceptions: 0, stops: 0, record: 0 };
  const calls = { proposed: 0, executed: 0, denied: 0, asked: 0 };
  const tools = new Map<string, number>();
  /** Calls name their tool where it is proposed. */
  const toolOf = new Map<string, string>();
  const names = new AgentNames();
  let inForce: Happening | undefined;
  let entries = 0;

  function keep(list: keyof ReportLists, happening: Happening): void {
    if (lists[list].length < MOST) lists[list].push(happening);
    else left[list]++;
  }

  function see(entry: StoredEntry, header: EntryHeader): void {
    const { type, call, verdict, outcome } = header;
    names.see(entry, header);
    if (type === "call.proposed" && call !== undefined && header.tool !== undefined) toolOf.set(call, header.tool);
    if (header.time < from) {
      if (type === "policy.activated") inForce = happeningOf(entry, header, toolOf, names);
      if (type === "call.finished" && call !== undefined) toolOf.delete(call);
      return;
    }
    entries++;
    if (type === "call.proposed") calls.proposed++;
    if (type === "approval.requested") calls.asked++;
    if (type === "call.executing") {
      calls.executed++;
      const tool = header.tool ?? toolOf.get(call ?? "") ?? "";
      tools.set(tool, (tools.get(tool) ?? 0) + 1);
    }
    const denied = type === "call.decided" && verdict === "deny";
    if (denied) calls.denied++;
    const list = denied || (type === "call.finished" && outcome !== "succeeded") ? "exceptions" : LISTS[type];
    if (list !== undefined) keep(list, happeningOf(entry, header, toolOf, names));
    if (type === "call.finished" && call !== undefined) toolOf.delete(call);
  }

  for (let at = 0; ; ) {
    const page = await store.entries({ from: at, limit: PAGE });
    let over = false;
    for (const entry of page) {
      const header = parseHeader(entry.header);
      // Store time never goes back.
      if (header.time >= to) {
        over = true;
        break;
      }
      see(entry, header);
    }
    const last = page.at(-1);
    if (last === undefined || over) break;
    at = last.seq + 1;
  }
  return {
    ...lists,
    revisions: inForce === undefined ? lists.revisions : [inForce, ...lists.revisions],
    entries,
    calls,
    tools: [...tools].map(([tool, executed]) => ({ tool, executed })).sort((one, two) => two.executed - one.executed),
    left,
  };
}

/** Parts that say who acted and why; arguments and results are content of calls and stay in the log. */
const SAID = ["act", "actor", "breaker", "error", "pot", "range", "view"] as const;

function happeningOf(
  entry: StoredEntry,
  header: EntryHeader,
  toolOf: ReadonlyMap<string, string>,
  names: AgentNames,
): Happening {
  const { type, time, environment, call, run, rules, revision, verdict, outcome } = header;
  const tool = header.tool ?? (call === undefined ? undefined : toolOf.get(call));
  const agent = header.agent === undefined ? undefined : (names.known(header.agent) ?? header.agent);
  const parts = entry.parts.filter(({ name }) => SAID.some((said) => said === name));
  const said = Object.fromEntries(parts.map((part) => [part.name, partJson(part)]));
  const by = personIn(said.actor ?? said.act ?? said.view);
  const spoken = verdict ?? outcome;
  return {
    entry: entry.seq,
    at: time,
    type,
    ...(tool === undefined ? {} : { tool }),
    ...(agent === undefined ? {} : { agent }),
    ...(environment === undefined ? {} : { environment }),
    ...(call === undefined ? {} : { call }),
    ...(run === undefined ? {} : { run: run.id }),
    ...(rules === undefined || rules.length === 0 ? {} : { rules }),
    ...(revision === undefined ? {} : { revision }),
    ...(by === undefined ? {} : { by }),
    ...(spoken === undefined ? {} : { verdict: spoken }),
    ...(parts.length === 0 ? {} : { said }),
  };
}

/** `ann via slack`, and that nobody proved it where that is so. */
function personIn(actor: Json | undefined): string | undefined {
  const by = member(actor, "by") ?? actor;
  const id = member(by, "id");
  if (typeof id !== "string") return undefined;
  const via = member(by, "via");
  const verified = member(by, "verified") === true ? "" : ", not verified";
  return `${id}${typeof via === "string" ? ` via ${via}` : ""}${verified}`;
}

function member(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return (value as Readonly<Record<string, Json>>)[key];
}
