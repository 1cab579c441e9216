/**
 * What time alone does to the calls that wait, whoever else is alive: silence denies at the stored deadline, and the next
 * people are asked when their level of `after` has come; what a lost call of a model holds is booked. Any process may run
 * it, and any number of them.
 *
 * Whom to ask is decided and written once, under compare-and-set, with an outgoing row. The row is what is sent: at least
 * once, by one process at a time, until it went out or the question is over.
 */
import { type ApprovalRecord, levelsOf, stepApproval } from "./approval.ts";
import type { Json } from "./json.ts";
import { bookLostModels } from "./lost-models.ts";
import type { Clock, Random, StateRow, Store } from "./ports.ts";
import { part } from "./record.ts";
import { expireCall } from "./recover.ts";

export interface SweeperPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Absent: this process asks nobody, and leaves it to one that can. */
  readonly escalations?: Escalations;
}

/** Asks the people of a later level, at the places that the route names. It decides nothing. */
export interface Escalations {
  escalated(approval: ApprovalRecord, to: readonly string[]): void | Promise<void>;
  /** It could not be sent; it is tried again while the question stands. */
  failed?(approval: ApprovalRecord, error: unknown): void;
}

/** Ids of approvals; `lost`: of calls of models. */
export interface Swept {
  readonly lost: readonly string[];
  readonly expired: readonly string[];
  readonly escalated: readonly string[];
  readonly sent: readonly string[];
}

export interface Sweeper {
  /** @throws SafeRunError when the store cannot be asked or cannot record it. */
  step(): Promise<Swept>;
}

/** Looked at in one step; the oldest come first. */
const MOST = 10_000;
/** How long one process has for a message before another one tries; also the pause after a failure. */
const SENDING_MS = 30_000;
const PREFIX = "escalation/";

export function createSweeper(ports: SweeperPorts): Sweeper {
  return { step: () => step(ports) };
}

async function step(ports: SweeperPorts): Promise<Swept> {
  const { store, clock } = ports;
  const expired: string[] = [];
  const escalated: string[] = [];
  for (const call of await store.callsIn(["pending", "approved"], MOST)) {
    const approval = call.approval === null ? undefined : await store.approval(call.approval);
    if (approval === undefined) continue;
    if (await expireCall(store, clock, call)) expired.push(approval.id);
    else if (await escalate(ports, approval)) escalated.push(approval.id);
  }
  return { expired, escalated, sent: await sendDue(ports), lost: await bookLostModels(ports) };
}

/** Writes down that the levels which are due are asked now. False: none is, or somebody else was first. */
async function escalate({ store, clock, random }: SweeperPorts, approval: ApprovalRecord): Promise<boolean> {
  const now = clock.now();
  const next = stepApproval(approval, { type: "escalate", now });
  if (!next.ok) return false;
  const { id, run, call } = approval;
  const levels = levelsOf(approval).slice(approval.escalated, next.approval.escalated);
  const message: Message = { approval: id, to: [...new Set(levels.flatMap((level) => level.to))] };
  const row = outgoing(`${PREFIX}${id}/${next.approval.escalated}`, { ...message }, now);
  const result = await store.commit({
    approvals: [{ row: next.approval, expect: approval.version }],
    rows: [{ row, expect: null }],
    entries: [{ type: "approval.escalated", run, call, approval: id, parts: [part("escalation", message, random)] }],
  });
  return result.ok;
}

function outgoing(id: string, value: Json, due: number): StateRow {
  return { kind: "outbox", id, version: 1, due, value };
}

async function sendDue(ports: SweeperPorts): Promise<string[]> {
  const { store, clock, escalations } = ports;
  if (escalations === undefined) return [];
  const sent: string[] = [];
  for (const row of await store.dueRows({ kind: "outbox", by: clock.now(), limit: MOST })) {
    const message = row.id.startsWith(PREFIX) ? messageOf(row.value) : undefined;
    if (message !== undefined && (await send(ports, escalations, row, message))) sent.push(message.approval);
  }
  return sent;
}

async function send(
  { store, clock }: SweeperPorts,
  escalations: Escalations,
  row: StateRow,
  { approval: id, to }: Message,
): Promise<boolean> {
  const mine = { ...row, version: row.version + 1, due: clock.now() + SENDING_MS };
  if (!(await store.commit({ rows: [{ row: mine, expect: row.version }], entries: [] })).ok) return false;
  const approval = await store.approval(id);
  const wanted = approval?.state === "pending";
  if (wanted) {
    try {
      await escalations.escalated(approval, to);
    } catch (error) {
      escalations.failed?.(approval, error);
      return false;
    }
  }
  const done = { ...mine, version: mine.version + 1, due: null, value: null };
  await store.commit({ rows: [{ row: done, expect: mine.version }], entries: [] });
  return wanted;
}

interface Message {
  readonly approval: string;
  readonly to: readonly string[];
}

/** What is stored is not believed to be what was written here. */
function messageOf(value: Json): Message | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { approval, to } = value as { readonly approval?: Json; readonly to?: Json };
  if (typeof approval !== "string" || !Array.isArray(to)) return undefined;
  return { approval, to: to.filter((place): place is string => typeof place === "string") };
}
