/**
 * Step 4 for a paused call: it waits for a person, and what the person approved is judged again before it is claimed.
 * Everything that happens to it goes through its two rows in the store, under compare-and-set; this file only reads them,
 * and tries the next step. A process that dies here leaves nothing behind that could run by itself.
 */

import { foreseenDenial } from "../answer/foresee.ts";
import { grantScope } from "../answer/grant.ts";
import { grantOffer } from "../answer/grant-offer.ts";
import { stickyDenial, stickyIds } from "../answer/sticky.ts";
import { resumeApprovals, suspendApprovals } from "../answer/suspend.ts";
import { type ApprovalEvent, type ApprovalRecord, stepApproval } from "../approval/approval.ts";
import { missingOf } from "../approval/quorum.ts";
import type { CallKeys } from "../breaker/loop/fingerprint.ts";
import type { Motion } from "../breaker/protect/motion.ts";
import { type Objection, objectionVerdict } from "../breaker/protect/objection.ts";
import { callFromBytes, type ToolCall } from "../call.ts";
import type { Decision, Denial, PauseReason } from "../decision.ts";
import { lockedChanges } from "../edit.ts";
import { invariant, unreachable } from "../errors.ts";
import type { CallRequest, GatePorts } from "../gate.ts";
import { KEPT_WHOLE } from "../keeping.ts";
import { type CallEvent, type CallRecord, claimEvent, stepCall } from "../lifecycle.ts";
import { LIMITS } from "../limits.ts";
import type { EntryDraft } from "../log/entry.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Transaction } from "../ports.ts";
import { type CallBudgets, callMotion, objected, reckon, releaseMotion } from "./call-protection.ts";
import { clockWatch } from "./clock-watch.ts";
import { denialOf, deniedByPerson, pendingAnswer, repeatedDenial } from "./denial.ts";
import { judge } from "./judge.ts";
import { about, decided, executing, keepingOfCall, newId, question, requested, withdrawn } from "./record.ts";
import { contextOf, type Run } from "./run.ts";
import { readHistory } from "./run-history.ts";
import { fresh, type RunWriter } from "./run-writer.ts";
import { JUMP_MS, storeTime } from "./store-time.ts";
import { StoreWatch } from "./store-watch.ts";

/** A claimed call with the arguments that were approved, or the reason why there is none. */
export type Waited =
  | {
      readonly claimed: CallRecord;
      readonly call: ToolCall;
      /** By the person who approved it. */
      readonly edited: boolean;
      /** As that person was shown it: what the policies had made of it. */
      readonly shown: ToolCall;
      /** The policies that it was claimed under, and what they have it take of the budgets. */
      readonly set: PolicySet;
      readonly budgets: CallBudgets;
      readonly keys: CallKeys;
    }
  | { readonly denial: Denial };

/** What of a decision a question is made of. */
type Asked = Pick<Decision, "pauses"> & { readonly units?: Decision["units"] | undefined };

/** A call that waits, with the run that it belongs to. */
interface Open {
  readonly run: Run;
  readonly deadline: number;
}

/** A clock that jumps is noticed after this time at the latest. */
const LOOK_AGAIN_MS = 1_000;

export class Waiting {
  readonly #ports: GatePorts;
  readonly #writer: RunWriter;
  readonly #watch: StoreWatch;
  /** Root run → its calls that wait, as far as this process has seen. */
  readonly #open = new Map<string, Map<string, Open>>();

  constructor(ports: GatePorts, writer: RunWriter) {
    this.#ports = ports;
    this.#writer = writer;
    this.#watch = new StoreWatch(ports.store, ports.clock);
  }

  /** Undefined: the rows have moved on, look again. */
  async #approved(
    run: Run,
    request: CallRequest,
    call: CallRecord,
    approval: ApprovalRecord,
    attempt: number,
  ): Promise<Waited | undefined> {
    const { store, clock } = this.#ports;
    invariant(approval.decision, "an approved call has a decision");
    const { now, behindMs } = await storeTime(store, clock);
    if (behindMs - approval.decision.clockBehindMs > JUMP_MS) {
      const jumped = { which: ({ id }: ApprovalRecord) => id === approval.id, why: "the clock has gone back" };
      await suspendApprovals(this.#ports, jumped);
      await resumeApprovals(this.#ports, jumped);
      return undefined;
    }
    if (await this.#over(run, request, call, approval, approval.decision.validUntil, now)) return undefined;
    return this.#use(run, call, approval, attempt, now);
  }

  /**
   * More questions than people can answer are no questions: a run may have so many open at once. A place is taken before
   * the question is written, so that calls at the same moment do not all find room; `closed` gives it back.
   */
  capped(run: Run, call: string, decision: Decision, now: number): Decision {
    if (decision.verdict !== "pause") return decision;
    const open = this.#open.get(run.root);
    for (const [id, { deadline }] of open ?? []) if (now >= deadline) open?.delete(id);
    if (open?.has(call) === true || (open?.size ?? 0) < LIMITS.waitingCalls) {
      this.#opened(run, call, now + Math.min(...decision.pauses.map(({ approval }) => approval.withinMs)));
      return decision;
    }
    const reason = `${LIMITS.waitingCalls} calls of this run wait for a person already`;
    const { revision, rules } = decision;
    return { verdict: "deny", by: ["approval.waiting"], reason, revision, rules, pauses: [] };
  }

  /** The call waits for nobody, or no more. */
  closed(run: Run, call: string): void {
    const open = this.#open.get(run.root);
    open?.delete(call);
    if (open?.size === 0) this.#open.delete(run.root);
  }

  /** Why an edited call would be denied, as far as it can be told before it is claimed; undefined where nothing is known. */
  async foresee(approval: ApprovalRecord, edited: ToolCall): Promise<string | undefined> {
    const { policies, clock, hash, store, zones } = this.#ports;
    const run = [...this.#open.values()].flatMap((open) => open.get(approval.call) ?? [])[0]?.run;
    if (run === undefined) return undefined;
    const set = policies.current();
    const context = contextOf(run, approval.call, 2, clock.now());
    const read = set.readsHistory(approval.tool) ? await readHistory(store, run.root, approval.call) : undefined;
    const { decision, call } = judge(set, edited, context, { hash, history: read?.history });
    // Told and not booked: the window is named by the clock.
    const windows = { run, zones, at: () => context.now };
    return foreseenDenial(reckon(set, decision, call, context, windows).decision);
  }

  /** Until somebody answers, the time is over, nobody wants the call any more, or the caller would wait no longer. */
  async answer(run: Run, request: CallRequest, callId: string): Promise<Waited> {
    const waited = await this.#answer(run, request, callId);
    const waits = "denial" in waited && waited.denial.status === "pending";
    if (!waits) this.closed(run, callId);
    return waited;
  }

  async #answer(run: Run, request: CallRequest, callId: string): Promise<Waited> {
    const { store, clock } = this.#ports;
    const patience = clock.now() + (request.maxWaitMs ?? Number.POSITIVE_INFINITY);
    let told: ApprovalRecord | undefined;
    for (let attempt = 2; ; ) {
      await clockWatch(this.#ports).look();
      const token = await store.changeToken();
      const call = await store.call(callId);
      invariant(call?.approval, "a waiting call has an approval");
      const approval = await store.approval(call.approval);
      invariant(approval, "a waiting call's approval exists");
      if (call.state === "pending") this.#opened(run, callId, approval.deadline);
      switch (call.state) {
        case "pending": {
          if (approval.state !== "pending" && approval.state !== "suspended") {
            const waited = await this.#refuseUnbound(run, call, approval, attempt);
            if (waited !== undefined) return waited;
            break;
          }
          // Edited by one of several approvers, or asked again after a stop: people are told of what they are asked now.
          if (told?.id === approval.id && told.since < approval.since) this.notify(approval);
          told = approval;
          if (await this.#over(run, request, call, approval, approval.deadline)) break;
          const now = clock.now();
          if (now >= patience) return { denial: pendingAnswer(call, approval) };
          await this.#watch.changed(token, Math.min(approval.deadline, patience, now + LOOK_AGAIN_MS), request.signal);
          break;
        }
        case "approved": {
          const waited =
            approval.state === "approved"
              ? await this.#approved(run, request, call, approval, attempt++)
              : await this.#refuseUnbound(run, call, approval, attempt++);
          if (waited !== undefined) return waited;
          break;
        }
        case "denied":
          // By that person, or by the policies of another request's time.
          return {
            denial: approval.state === "denied" ? deniedByPerson(call, approval) : repeatedDenial(call, "repeated"),
          };
        case "expired":
          return { denial: repeatedDenial(call, request.signal?.aborted ? "aborted" : "expired") };
        case "executing":
        case "succeeded":
        case "failed":
        case "unknown":
          return { denial: repeatedDenial(call, "repeated") };
        default:
          return unreachable(call.state);
      }
    }
  }

  #opened(run: Run, call: string, deadline: number): void {
    const open = this.#open.get(run.root) ?? new Map<string, Open>();
    this.#open.set(run.root, open.set(call, { run, deadline }));
  }

  /** The approval request for a paused call, not yet stored. */
  question(callId: string, run: Run, call: ToolCall, { pauses, units }: Asked, now: number): ApprovalRecord {
    const { policies, hash, random } = this.#ports;
    const asked = question(newId("appr", random, now), callId, run, call, pauses, now);
    const set = policies.current();
    const sticky = stickyIds(run, call, set, hash);
    const form = set.editFields(call.tool, asked.editable);
    const keep = keepingOfCall(set, run, call, hash);
    const kept = keep === KEPT_WHOLE ? {} : { keep };
    const offer = grantOffer(call, pauses, set, units);
    return {
      ...asked,
      ...kept,
      ...(form.length === 0 ? {} : { form }),
      ...(units === undefined ? {} : { units }),
      ...(offer === undefined ? {} : { grantOffer: offer }),
      sticky,
      scope: grantScope(run.root, run.principal.id),
    };
  }

  /** Tells people. Whatever the notifier does, throws or forgets, the call waits for a decision in the store. */
  notify(approval: ApprovalRecord): void {
    const { notifier } = this.#ports;
    Promise.resolve()
      .then(() => notifier.paused(approval))
      .catch((error: unknown) => notifier.failed?.(approval, error))
      // Even the way to report it may be broken; the call still waits, and silence denies.
      .catch(() => undefined);
  }

  /**
   * An approved call is judged again, on the approved arguments and the policies of now: a deny wins, a reason that its
   * approver did not see asks anew, as do arguments that the policies would change once more, and only else it is claimed. Undefined: the rows have moved on, look again.
   */
  async #use(
    run: Run,
    row: CallRecord,
    approval: ApprovalRecord,
    attempt: number,
    now: number,
  ): Promise<Waited | undefined> {
    const { hash, policies, random, store } = this.#ports;
    invariant(approval.decision, "an approved call has a decision");
    const { bytes, digest, edited } = approval.decision;
    const { tool, agent, environment } = row;
    const approved = callFromBytes({ tool, agent, environment, bytes }, hash);
    const context = contextOf(run, row.id, attempt, now);
    const set = policies.current();
    const place = placeOf(run, row);
    const read = set.readsHistory(row.tool) ? await readHistory(store, row.root, row.id) : undefined;
    const unmoved = read === undefined ? {} : { unmoved: read.unmoved };
    const { decision: judged, call } = isBound(row, approval, approved)
      ? judge(set, approved, context, { hash, history: read?.history })
      : { decision: mismatch(row.revision), call: approved };
    const since = approval.decision.at;
    const heard = (await stickyDenial(store, place, call, judged, { set, hash, now, since })) ?? judged;
    // `now` is the store's here.
    const windows = { run: place, zones: this.#ports.zones, at: () => now };
    const { decision: ruled, budgets } = reckon(set, heard, call, context, windows);
    const entryOf = (decision: Decision) => ({
      ...decided(run, row.id, decision, context, approval.keep ?? KEPT_WHOLE, random),
      approval: approval.id,
    });

    if (ruled.verdict === "deny") {
      const write = this.#ended(run, row, approval, entryOf(ruled), [releaseMotion(row, ruled.by)], now);
      if (write === undefined || !(await this.#writer.commit(run, { ...write, ...unmoved }))) return undefined;
      return { denial: denialOf(row.id, row.tool, ruled) };
    }
    // Exactly the bytes that were approved, or another question.
    if (call.digest !== digest || !permits(ruled, approval.reasons)) {
      const asked = this.#asking(run, row, approval, call, ruled, [entryOf(ruled)], []);
      if (asked !== undefined && (await this.#writer.commit(run, { ...asked.write, ...unmoved })))
        this.notify(asked.approval);
      return undefined;
    }
    const claim = stepCall(row, claimEvent(store.writerId, ruled.revision, now));
    const consumed = stepApproval(approval, { type: "consume", digest: call.digest, now });
    if (!claim.ok || !consumed.ok) return undefined;
    const asks = callMotion(place, row.id, call, budgets, set, { hash, owner: store.writerId, now });
    const motion: Motion = { ...asks, ...seenBy(approval, budgets), type: "claim", deadline: now + LIMITS.leaseMs };
    let then: () => Waited | undefined = () => undefined;
    const build = (objection: Objection | null): Transaction => {
      const decision = objection === null ? ruled : objected(ruled, objection, { budgets, policies: set, hash });
      const verdict = objection === null ? "allow" : objectionVerdict(objection);
      switch (verdict) {
        case "allow": {
          const shown = edited ? callFromBytes({ tool, agent, environment, bytes: approval.bytes }, hash) : call;
          then = () => ({ claimed: claim.call, call, keys: asks.keys, edited, shown, set, budgets });
          const used: EntryDraft = { ...about(run, row.id), type: "approval.consumed", approval: approval.id };
          return {
            calls: [{ row: claim.call, expect: row.version }],
            approvals: [{ row: consumed.approval, expect: approval.version }],
            entries: [entryOf(decision), used, executing(run, claim.call)],
            protection: { motions: [motion], accounted: "" },
          };
        }
        case "deny": {
          then = () => ({ denial: denialOf(row.id, row.tool, decision) });
          const motions = [motion, releaseMotion(row, decision.by)];
          const write = this.#ended(run, row, approval, entryOf(decision), motions, now);
          invariant(write, "an approved call can be denied");
          return write;
        }
        case "pause": {
          const asked = this.#asking(run, row, approval, call, decision, [entryOf(decision)], [motion]);
          invariant(asked, "an approved call can be asked about again");
          then = () => {
            this.notify(asked.approval);
            return undefined;
          };
          return asked.write;
        }
        default:
          return unreachable(verdict);
      }
    };
    const committed = await this.#writer.commitJudged(run, (objection) => ({ ...build(objection), ...unmoved }));
    return committed ? then() : undefined;
  }

  /**
   * The call's row and its approval's row contradict one another, which no transaction of ours leaves behind: the call is
   * denied, and said so. Undefined: the call's row has moved on while the other one was read, look again.
   */
  async #refuseUnbound(
    run: Run,
    row: CallRecord,
    approval: ApprovalRecord,
    attempt: number,
  ): Promise<Waited | undefined> {
    const { clock, random } = this.#ports;
    const now = clock.now();
    const decision = mismatch(row.revision);
    const context = contextOf(run, row.id, attempt, now);
    const denied = stepCall(row, { type: "deny", now });
    invariant(denied.ok, "a call that waits can be denied");
    const withdraw = stepApproval(approval, { type: "withdraw", now });
    const committed = await this.#writer.commit(run, {
      calls: [{ row: denied.call, expect: row.version }],
      approvals: withdraw.ok ? [{ row: withdraw.approval, expect: approval.version }] : [],
      entries: [
        { ...decided(run, row.id, decision, context, KEPT_WHOLE, random), approval: approval.id },
        ...(withdraw.ok ? [withdrawn(run, approval)] : []),
      ],
      protection: { motions: [releaseMotion(row, [])], accounted: "" },
    });
    return committed ? { denial: denialOf(row.id, row.tool, decision) } : undefined;
  }

  /** The arguments as they stand need a person who sees them: a new request replaces the old one. */
  #asking(
    run: Run,
    row: CallRecord,
    old: ApprovalRecord,
    call: ToolCall,
    decision: Decision,
    entries: readonly EntryDraft[],
    motions: readonly Motion[],
  ): { readonly write: Transaction; readonly approval: ApprovalRecord } | undefined {
    const now = this.#ports.clock.now();
    const { revision, units } = decision;
    // A call that the policies would now simply allow, but with other arguments, is asked about for the reasons of before.
    const pauses = decision.pauses.length > 0 ? decision.pauses : old.reasons;
    const approval = this.question(row.id, run, call, { pauses, units }, now);
    const { digest, bytes } = call;
    const asked = stepCall(row, { type: "ask", approval: approval.id, revision, digest, bytes, now });
    const closed = stepApproval(old, { type: "withdraw", now });
    if (!asked.ok || !closed.ok) return undefined;
    return {
      approval,
      write: {
        calls: [{ row: asked.call, expect: row.version }],
        approvals: [
          { row: closed.approval, expect: old.version },
          { row: approval, expect: null },
        ],
        rows: fresh(this.#ports.outbox?.asked(approval)),
        entries: [...entries, withdrawn(run, old), requested(run, approval, this.#ports.random)],
        ...(motions.length === 0 ? {} : { protection: { motions, accounted: "" } }),
      },
    };
  }

  /** An approved call that is denied all the same. */
  #ended(
    run: Run,
    row: CallRecord,
    approval: ApprovalRecord,
    judged: EntryDraft,
    motions: readonly Motion[],
    now: number,
  ): Transaction | undefined {
    const denied = stepCall(row, { type: "deny", now });
    const closed = stepApproval(approval, { type: "withdraw", now });
    if (!denied.ok || !closed.ok) return undefined;
    return {
      calls: [{ row: denied.call, expect: row.version }],
      approvals: [{ row: closed.approval, expect: approval.version }],
      entries: [judged, withdrawn(run, approval)],
      protection: { motions, accounted: "" },
    };
  }

  /** True when the call's wait has ended here, or was ended by somebody else: look again. */
  async #over(
    run: Run,
    request: CallRequest,
    call: CallRecord,
    approval: ApprovalRecord,
    expiry: number,
    now: number = this.#ports.clock.now(),
  ): Promise<boolean> {
    const aborted = request.signal?.aborted === true;
    if (!aborted && now < expiry) return false;
    const [event, type] = aborted
      ? [{ type: "withdraw", now } as const, "approval.withdrawn" as const]
      : [{ type: "expire", now } as const, "approval.expired" as const];
    const entry: EntryDraft = { ...about(run, call.id), type, approval: approval.id };
    await this.#close(run, call, approval, { type: "expire", now }, event, [entry]);
    return true;
  }

  async #close(
    run: Run,
    call: CallRecord,
    approval: ApprovalRecord,
    callEvent: CallEvent,
    approvalEvent: ApprovalEvent,
    entries: readonly EntryDraft[],
  ): Promise<boolean> {
    const nextCall = stepCall(call, callEvent);
    const nextApproval = stepApproval(approval, approvalEvent);
    if (!nextCall.ok || !nextApproval.ok) return false;
    return this.#writer.commit(run, {
      calls: [{ row: nextCall.call, expect: call.version }],
      approvals: [{ row: nextApproval.approval, expect: approval.version }],
      entries,
      protection: { motions: [releaseMotion(call, [])], accounted: "" },
    });
  }
}

/** A call stays in the tree in which it was asked about, also where its run goes on by itself: its root's stops hold it. */
function placeOf(run: Run, { root }: CallRecord): Run {
  return root === run.root ? run : { ...run, root, runs: [...run.runs, root] };
}

type ClaimMotion = Extract<Motion, { type: "claim" }>;

/** What the approver said yes to beyond the rules: findings, and budgets without room. */
function seenBy({ reasons }: ApprovalRecord, { declared }: CallBudgets): Pick<ClaimMotion, "approved" | "raised"> {
  const short = declared.filter(({ pause }) => reasons.some((reason) => same(reason, pause)));
  return {
    approved: reasons.flatMap(({ finding }) => finding ?? []),
    raised: short.map(({ budget }) => budget),
  };
}

/** An approval discharges exactly the reasons that its approver saw; a pause without a reason is discharged by none. */
function permits(decision: Decision, seen: readonly PauseReason[]): boolean {
  switch (decision.verdict) {
    case "allow":
      return true;
    case "deny":
      return false;
    case "pause":
      return decision.pauses.length > 0 && decision.pauses.every((reason) => seen.some((other) => same(reason, other)));
    default:
      return unreachable(decision.verdict);
  }
}

function same(left: PauseReason, right: PauseReason): boolean {
  return left.id === right.id && left.digest === right.digest;
}

/**
 * The rows say the same: this approval, by enough people, of this call, of exactly these arguments, which differ from the
 * proposed ones only where they may. What is stored is not believed to be what `decideApproval` has written.
 */
function isBound(row: CallRecord, approval: ApprovalRecord, approved: ToolCall): boolean {
  if (approval.decision?.verdict !== "approve" || approval.call !== row.id || row.approval !== approval.id)
    return false;
  if (missingOf(approval).length > 0) return false;
  const { digest, edited } = approval.decision;
  if (approved.digest !== digest || row.digest !== digest) return false;
  return edited ? lockedChanges(approval, approved.args).length === 0 : digest === approval.digest;
}

function mismatch(revision: string): Decision {
  const reason = "the approved arguments are not the ones that were stored";
  return { verdict: "deny", by: ["approval.mismatch"], reason, revision, rules: [], pauses: [] };
}
