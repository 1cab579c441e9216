/**
 * What time alone does to the calls that wait, whoever else is alive: silence denies at the stored deadline, and the next
 * people are asked when their level of `after` has come; what a lost call of a model holds is booked; what a process that is
 * gone was executing becomes `unknown`. Any process may run it, and any number of them.
 *
 * Whom to ask is decided and written once, under compare-and-set, with the rows of the outbox that are sent.
 */
import { type ApprovalRecord, levelsOf, stepApproval } from "../approval/approval.ts";
import { part } from "../gate/record.ts";
import { fresh } from "../gate/run-writer.ts";
import { askedRows } from "../outbox/outgoing.ts";
import type { Clock, Random, Store } from "../ports.ts";
import { bookLostModels } from "./lost-models.ts";
import { type Broken, eachCall, expireCall, loseCalls } from "./recover.ts";

export interface SweeperPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Swept {
  /** Ids of approvals. */
  readonly expired: readonly string[];
  /** Ids of approvals. */
  readonly escalated: readonly string[];
  /** Ids of calls of models. */
  readonly lost: readonly string[];
  /** Ids of calls of which nobody knows any more whether their tools acted: a person has to find out. */
  readonly unknown: readonly string[];
  /** Rows that cannot be read or changed: somebody must hear of it. */
  readonly broken: readonly Broken[];
}

export interface Sweeper {
  /** @throws SafeRunError when the store cannot be asked or cannot record it. */
  step(): Promise<Swept>;
}

export function createSweeper(ports: SweeperPorts): Sweeper {
  return { step: () => step(ports) };
}

async function step(ports: SweeperPorts): Promise<Swept> {
  const { store, clock } = ports;
  const gone = await loseCalls(store, clock, store.writerId);
  const expired: string[] = [];
  const escalated: string[] = [];
  const waited = await eachCall(store, ["pending", "approved"], async (call) => {
    const approval = call.approval === null ? undefined : await store.approval(call.approval);
    if (approval === undefined) return false;
    const isOver = await expireCall(store, clock, call);
    if (isOver) expired.push(approval.id);
    else if (await escalate(ports, approval)) escalated.push(approval.id);
    return isOver;
  });
  const broken = [...gone.broken, ...waited.broken];
  return { expired, escalated, unknown: gone.done, broken, lost: await bookLostModels(ports) };
}

/** Writes down that the levels which are due are asked now. False: none is, or somebody else was first. */
async function escalate({ store, clock, random }: SweeperPorts, approval: ApprovalRecord): Promise<boolean> {
  const now = clock.now();
  const next = stepApproval(approval, { type: "escalate", now });
  if (!next.ok) return false;
  const { id, run, call } = approval;
  const levels = levelsOf(approval).slice(approval.escalated, next.approval.escalated);
  const to = [...new Set(levels.flatMap((level) => level.to))];
  const result = await store.commit({
    approvals: [{ row: next.approval, expect: approval.version }],
    rows: fresh(askedRows(next.approval, to, now)),
    entries: [
      {
        type: "approval.escalated",
        run,
        call,
        approval: id,
        parts: [part("escalation", { approval: id, to }, random)],
      },
    ],
  });
  return result.ok;
}
