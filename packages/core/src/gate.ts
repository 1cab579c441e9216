/**
 * The path of one call: normalize → evaluate → record → decide → execute → record. Read this file first.
 *
 * It runs one way. Nothing is executed that was not recorded durably before, and allow is said in exactly one place:
 * `#permit`, after the claim has been committed. Whatever throws, hangs or is missing on the way ends in a denial.
 */

import { granted, grantScope } from "./answer/grant.ts";
import { stickyDenial } from "./answer/sticky.ts";
import type { ApprovalRecord } from "./approval/approval.ts";
import type { ZoneOffset } from "./breaker/budget/window.ts";
import type { CallKeys } from "./breaker/loop/fingerprint.ts";
import type { Protection } from "./breaker/protect/motion.ts";
import type { Objection } from "./breaker/protect/objection.ts";
import { type Malformed, normalize, type ToolCall } from "./call.ts";
import type { Decision, Denial, EvaluationContext } from "./decision.ts";
import { invariant, SafeRunError, unreachable } from "./errors.ts";
import { type CallBudgets, callMotion, finishMotion, notesOf, objected, reckon } from "./gate/call-protection.ts";
import { clockWatch } from "./gate/clock-watch.ts";
import { denialOf, malformedDenial, repeatedDenial, unavailableDenial } from "./gate/denial.ts";
import { changedByRules, judge, toldOf } from "./gate/judge.ts";
import { ModelRecorder } from "./gate/model.ts";
import {
  decided,
  executing,
  finished,
  keeping,
  keepingOfCall,
  malformedEntries,
  newId,
  proposed,
  requested,
  subjectOf,
} from "./gate/record.ts";
import { contextOf, openedRun, type Run, type RunOptions } from "./gate/run.ts";
import { readHistory } from "./gate/run-history.ts";
import { fresh, RunWriter } from "./gate/run-writer.ts";
import { Waiting } from "./gate/waiting.ts";
import { type CallRecord, claimEvent, type Outcome, proposedCall, stepCall } from "./lifecycle.ts";
import { LIMITS } from "./limits.ts";
import type { ByteQuota } from "./log/quota.ts";
import type { PolicySet } from "./policy/policy-set.ts";
import type {
  Clock,
  Hash,
  Notifier,
  Outbox,
  Policies,
  Random,
  RowWrite,
  StateRow,
  Store,
  Transaction,
} from "./ports.ts";
import type { PartRecorder } from "./redaction/redactor.ts";
import type { JsonObject } from "./value/json.ts";

export interface GatePorts {
  readonly store: Store;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly hash: Hash;
  readonly random: Random;
  readonly notifier: Notifier;
  /** Absent: only `notifier` hears of questions and alarms, from memory. */
  readonly outbox?: Outbox;
  /** For budgets whose window is a day, week or month somewhere. Absent: such a budget denies. */
  readonly zones?: ZoneOffset;
  /** How many bytes of the record a run and an agent may fill. Absent: no bound. */
  readonly quota?: ByteQuota;
  /** Whose masks the store's commits carry: commitments that the gate names itself must be those of masked content. */
  readonly redactor?: PartRecorder;
}

export interface CallRequest {
  readonly tool: unknown;
  readonly args: unknown;
  /** The caller's own key, unique within the run: the same key never runs twice, and never with other arguments. */
  readonly key?: string;
  /** A caller that gave up must not see its tool run later. */
  readonly signal?: AbortSignal;
  /** How long this request waits for a person; then it is answered `pending`, and asked again. Absent: to the deadline. */
  readonly maxWaitMs?: number;
}

/** The right to run one call once, with exactly `args`. Whoever holds it must settle it. */
export interface Permit {
  readonly callId: string;
  readonly tool: string;
  /** A private copy, parsed from the recorded bytes. */
  readonly args: JsonObject;
  /** True when a person changed the arguments: the model is told what ran. */
  readonly edited: boolean;
  /** True when rules changed what the agent wrote: the model is told what ran. What the host decides does not count. */
  readonly changed: boolean;
  /** The arguments that a model may be told of: without what the host decides, which it never saw. */
  readonly told: JsonObject;
  /** What the model is told beside the result: findings that let the call run. */
  readonly notes: readonly string[];
  /** For tools whose contract takes one; from the call id, never from the model. */
  readonly idempotencyKey: string;
  /**
   * Records the outcome durably; only then may the result be handed back.
   * @throws SafeRunError when it could not be recorded: the tool has run, and the store will say `unknown`.
   */
  settle(outcome: Outcome, result: unknown): Promise<void>;
}

export type Admission =
  | { readonly admitted: true; readonly permit: Permit }
  | { readonly admitted: false; readonly denial: Denial };

export type Answer =
  | { readonly status: "ran"; readonly result: unknown; readonly permit: Permit }
  | { readonly status: "threw"; readonly error: unknown; readonly permit: Permit }
  | { readonly status: "denied"; readonly denial: Denial };

export interface Gate {
  /** Opens a run in memory; it is recorded with its first entry. */
  openRun(options: RunOptions): Run;
  /** Steps 1 to 5a: may this call run? Never rejects. */
  admit(run: Run, request: CallRequest): Promise<Admission>;
  /**
   * The whole path around `execute`, which is called at most once.
   * @throws SafeRunError `record.unavailable` only when the tool has run and its outcome could not be recorded.
   */
  call(run: Run, request: CallRequest, execute: (permit: Permit) => unknown): Promise<Answer>;
  /** What to settle when the tool threw: `failed` only where it surely did not act. */
  outcomeOfThrow(tool: string): Outcome;
  /** Argument paths of the tool that the host decides now: a model need not see them. */
  boundPaths(tool: string): readonly string[];
  /** The arguments as the host's own values make them; null where it does not say all of them: the call will be denied. */
  bound(run: Run, tool: string, args: JsonObject): JsonObject | null;
  /**
   * Why the policies would now deny the call as an approver edited it: one line, for that person; undefined where they
   * would not, or where the call does not wait in this process. It decides nothing.
   */
  foresee(approval: ApprovalRecord, edited: ToolCall): Promise<string | undefined>;
  /** What the model is asked and what it answers, recorded before each is handed on. */
  readonly model: ModelRecorder;
}

/** How often a step is tried again because another one came first. */
const TRIES = 3;

/** States of a call in which its question, or the answer to it, is all there is to say. */
const WAITED: readonly CallRecord["state"][] = ["pending", "approved", "denied", "expired"];

export function createGate(ports: GatePorts): Gate {
  return new EmbeddedGate(ports);
}

class EmbeddedGate implements Gate {
  readonly #ports: GatePorts;
  readonly #writer: RunWriter;
  readonly #waiting: Waiting;
  readonly model: ModelRecorder;

  constructor(ports: GatePorts) {
    this.#ports = ports;
    this.#writer = new RunWriter(ports);
    this.#waiting = new Waiting(ports, this.#writer);
    this.model = new ModelRecorder(this.#writer, ports);
  }

  openRun(options: RunOptions): Run {
    return openedRun(options, this.#ports);
  }

  async call(run: Run, request: CallRequest, execute: (permit: Permit) => unknown): Promise<Answer> {
    const admission = await this.admit(run, request);
    if (!admission.admitted) return { status: "denied", denial: admission.denial };
    const { permit } = admission;
    let result: unknown;
    try {
      result = await execute(permit);
    } catch (error) {
      await permit.settle(this.outcomeOfThrow(permit.tool), error);
      return { status: "threw", error, permit };
    }
    await permit.settle("succeeded", result);
    return { status: "ran", result, permit };
  }

  async admit(run: Run, request: CallRequest): Promise<Admission> {
    let callId = "";
    try {
      callId = newId("call", this.#ports.random, this.#ports.clock.now());
      await clockWatch(this.#ports).look();
      const most = this.#readsHistory(request) ? LIMITS.historyTries : TRIES;
      for (let tries = 0; tries < most; tries++) {
        const admission = await this.#admit(run, request, callId);
        if (admission !== undefined) return admission;
      }
      throw new SafeRunError("record.busy", "the call could not be recorded", { retryable: true });
    } catch (error) {
      // The outer boundary: no record, no execution; and our own bugs deny.
      return refuse(unavailableDenial(callId, request.tool, error));
    }
  }

  boundPaths(tool: string): readonly string[] {
    return this.#ports.policies.current().boundPaths(tool);
  }

  bound(run: Run, tool: string, args: JsonObject): JsonObject | null {
    const { policies, clock } = this.#ports;
    return policies.current().bound(tool, args, contextOf(run, "", 1, clock.now()));
  }

  foresee(approval: ApprovalRecord, edited: ToolCall): Promise<string | undefined> {
    return this.#waiting.foresee(approval, edited);
  }

  outcomeOfThrow(tool: string): Outcome {
    const kind = this.#ports.policies.current().kind(tool);
    return kind === "read" || kind === "none" ? "failed" : "unknown";
  }

  /** Then every step of the same run may come first, and each that does has moved the run on. */
  #readsHistory({ tool }: CallRequest): boolean {
    return typeof tool === "string" && this.#ports.policies.current().readsHistory(tool);
  }

  /** Undefined: another request with the same key came first, or the run's history has moved on; look again. */
  async #admit(run: Run, request: CallRequest, callId: string): Promise<Admission | undefined> {
    const { store, policies, clock, hash } = this.#ports;
    const { agent, environment } = run;
    const normalized = normalize({ tool: request.tool, args: request.args, agent, environment }, hash);
    if (!normalized.ok) return this.#refuseMalformed(run, request, callId, normalized.malformed);
    const { call: proposal } = normalized;

    const earlier = request.key === undefined ? undefined : await store.callByKey(run.id, request.key);
    if (earlier !== undefined) return this.#again(run, request, proposal, earlier);

    const now = clock.now();
    const context = contextOf(run, callId, 1, now);
    const set = policies.current();
    const read = set.readsHistory(proposal.tool) ? await readHistory(store, run.root, callId) : undefined;
    const judged = judge(set, proposal, context, { hash, history: read?.history });
    const { call } = judged;
    const said = await this.#said(run, call, judged.decision, { set, now });
    const heard = this.#waiting.capped(run, callId, said.decision, now);
    const { windows } = this.#writer;
    await windows.ready();
    const place = { run, zones: this.#ports.zones, at: () => windows.now() };
    const { decision: ruled, budgets } = reckon(set, heard, call, context, place);
    const changed = changedByRules(set, proposal, call);
    const asked = { run, request, callId, proposal, call, context };
    let about: Proposed = { ...asked, set, budgets, ruled, changed, uses: said.uses };
    let step: Step | undefined;
    let asks = false;
    try {
      const written = await this.#writer.commitJudged(run, (objection) => {
        about = this.#capped(about, objection);
        step = this.#step(about, objection);
        return read === undefined ? step.write : { ...step.write, unmoved: read.unmoved };
      });
      if (!written) return undefined;
      asks = step?.asks === true;
    } finally {
      if (!asks) this.#waiting.closed(run, callId);
    }
    return step?.answer();
  }

  /** What the protections ask is asked of the same people as what the rules ask. */
  #capped(of: Proposed, objection: Objection | null): Proposed {
    if (objection === null) return of;
    const { run, callId, ruled, budgets, set, context } = of;
    const decision = objected(ruled, objection, { budgets, policies: set, hash: this.#ports.hash });
    const heard = this.#waiting.capped(run, callId, decision, context.now);
    return heard === decision ? of : { ...of, ruled: heard };
  }

  /** What people have said before about the like: a denial of theirs stands, and a grant answers what it was given for. */
  async #said(
    run: Run,
    call: ToolCall,
    judged: Decision,
    { set, now }: { readonly set: PolicySet; readonly now: number },
  ): Promise<{ readonly decision: Decision; readonly uses: readonly RowWrite<StateRow>[] }> {
    const { store, hash, clock } = this.#ports;
    const denied = await stickyDenial(store, run, call, judged, { set, hash, now });
    if (denied !== undefined) return { decision: denied, uses: [] };
    const grant = await granted(store, grantScope(run.root, run.principal.id), call, judged, { clock, hash });
    return grant === undefined ? { decision: judged, uses: [] } : { decision: grant.decision, uses: [grant.write] };
  }

  /** What is written about a proposed call, and what is answered when that is durable. */
  #step(of: Proposed, objection: Objection | null): Step {
    const { hash, random, store } = this.#ports;
    const { run, request, callId, proposal, call, context, set, budgets, ruled, changed, uses } = of;
    const { now } = context;
    const decision = objection === null ? ruled : objected(ruled, objection, { budgets, policies: set, hash });
    const keep = keepingOfCall(set, run, call, hash);
    const row = proposedCall({
      id: callId,
      run: run.id,
      root: run.root,
      key: request.key ?? null,
      proposed: proposal.digest,
      call,
      keep,
      revision: decision.revision,
      now,
    });
    const subject = subjectOf(keep, call.args);
    const judged = decided(run, callId, decision, context, keep, random);
    const entries = [proposed(run, callId, proposal, subject, random), judged];
    const asks = callMotion(run, callId, call, budgets, set, { hash, owner: store.writerId, now });
    const protection = (deadline: number): Protection => {
      const motion = { ...asks, deadline };
      const rules = ruled.verdict === "deny" ? ruled.by : [];
      return { motions: [{ ...motion, type: "propose", verdict: ruled.verdict, rules }], accounted: "" };
    };
    switch (decision.verdict) {
      case "allow": {
        const claim = stepCall({ ...row, state: "approved" }, claimEvent(store.writerId, decision.revision, now));
        invariant(claim.ok, "a call that was just allowed can be claimed");
        const claimed = {
          row: claim.call,
          call,
          set,
          budgets,
          keys: asks.keys,
          edited: false,
          changed,
          notes: notesOf(objection),
        };
        return {
          write: {
            calls: [{ row: claim.call, expect: null }],
            rows: uses,
            entries: [...entries, executing(run, claim.call)],
            protection: protection(now + LIMITS.leaseMs),
          },
          answer: () => this.#permit(run, request, claimed),
        };
      }
      case "deny": {
        const denied = stepCall(row, { type: "deny", now });
        invariant(denied.ok, "a call that was just proposed can be denied");
        return {
          write: { calls: [{ row: denied.call, expect: null }], entries, protection: protection(now) },
          answer: () => refuse(denialOf(callId, call.tool, decision)),
        };
      }
      case "pause": {
        const approval = this.#waiting.question(callId, run, call, decision, now);
        return {
          write: {
            calls: [{ row: { ...row, approval: approval.id }, expect: null }],
            approvals: [{ row: approval, expect: null }],
            rows: fresh(this.#ports.outbox?.asked(approval)),
            entries: [...entries, requested(run, approval, random)],
            protection: protection(approval.deadline),
          },
          asks: true,
          answer: () => {
            this.#waiting.notify(approval);
            return this.#afterWaiting(run, request, proposal, callId);
          },
        };
      }
      default:
        return unreachable(decision.verdict);
    }
  }

  /** The same key again: never a second run, never other arguments. A call that still waits goes on waiting. */
  async #again(run: Run, request: CallRequest, proposal: ToolCall, earlier: CallRecord): Promise<Admission> {
    if (earlier.proposed !== proposal.digest) return refuse(repeatedDenial(earlier, "mismatch"));
    // One that was asked about is told how that ended, too: whoever was answered `pending` asks again to hear it.
    if (earlier.approval !== null && WAITED.includes(earlier.state))
      return this.#afterWaiting(run, request, proposal, earlier.id);
    return refuse(repeatedDenial(earlier, "repeated"));
  }

  async #afterWaiting(run: Run, request: CallRequest, proposal: ToolCall, callId: string): Promise<Admission> {
    const waited = await this.#waiting.answer(run, request, callId);
    if ("denial" in waited) return refuse(waited.denial);
    const { claimed: row, call, keys, edited, shown, set, budgets } = waited;
    const changed = changedByRules(set, proposal, shown);
    return this.#permit(run, request, { row, call, keys, set, budgets, edited, changed, notes: [] });
  }

  async #refuseMalformed(run: Run, request: CallRequest, callId: string, malformed: Malformed): Promise<Admission> {
    const { policies, random, hash } = this.#ports;
    const set = policies.current();
    const entries = malformedEntries(run, callId, request, malformed, set.revision, random);
    // What is no call has no row that could say it; the tool that it names is the one that was meant.
    const named = { tool: typeof request.tool === "string" ? request.tool : "", environment: run.environment };
    const keep = keepingOfCall(set, run, named, hash);
    await this.#writer.commit(run, { entries: entries.map((entry) => keeping(entry, keep)) });
    return refuse(malformedDenial(callId, request.tool, malformed));
  }

  /** The one place that says allow. The claim is durable: the tool may be contacted, once, by the holder of the permit. */
  async #permit(run: Run, request: CallRequest, claimed: Claimed): Promise<Admission> {
    const { row, call, set, edited, changed, notes } = claimed;
    let settled = false;
    const settle = async (outcome: Outcome, result: unknown): Promise<void> => {
      invariant(!settled, "a permit is settled once");
      settled = true;
      await this.#finish(run, claimed, outcome, result);
    };
    if (request.signal?.aborted) {
      await settle("failed", "the caller gave up before the tool was contacted");
      return refuse(repeatedDenial(row, "aborted"));
    }
    const args = JSON.parse(call.bytes) as JsonObject;
    const named = { callId: row.id, tool: row.tool, idempotencyKey: row.id };
    const told = toldOf(set, call);
    return { admitted: true, permit: { ...named, args, told, edited, changed, notes, settle } };
  }

  async #finish(run: Run, of: Claimed, outcome: Outcome, result: unknown): Promise<void> {
    const { row: claimed, keys, set, budgets } = of;
    const { store, clock, hash, random } = this.#ports;
    const entry = finished(run, claimed, { outcome, result }, of, random);
    const actual = outcome === "succeeded" ? budgets.actual(result) : [];
    const now = clock.now();
    const recorded = entry.parts?.[0]?.bytes;
    const motion = finishMotion(run, claimed, keys, set, { outcome, result, recorded, actual, hash, random, now });
    const protection: Protection = { motions: [motion], accounted: "" };
    let row: CallRecord | undefined = claimed;
    for (let tries = 0; tries < TRIES && row !== undefined; tries++) {
      const step = stepCall(row, { type: "finish", outcome, fence: claimed.fence, now: clock.now() });
      if (!step.ok) throw new SafeRunError("call.conflict", `the outcome of call \`${row.id}\` is already recorded`);
      const calls = [{ row: step.call, expect: row.version }];
      if (await this.#writer.commit(run, { calls, entries: [entry], protection })) return;
      // Somebody wrote the row in between, because the lease was over: the same fence may still report.
      row = await store.call(claimed.id);
    }
    throw new SafeRunError("record.busy", `the outcome of call \`${claimed.id}\` could not be recorded`);
  }
}

/** A call whose rules were heard. */
interface Proposed {
  readonly run: Run;
  readonly request: CallRequest;
  readonly callId: string;
  readonly proposal: ToolCall;
  /** As the policies would have it run. */
  readonly call: ToolCall;
  readonly context: EvaluationContext;
  readonly set: PolicySet;
  readonly budgets: CallBudgets;
  readonly ruled: Decision;
  readonly changed: boolean;
  /** Of grants, where the call is claimed by one. */
  readonly uses: readonly RowWrite<StateRow>[];
}

interface Step {
  readonly write: Transaction;
  /** The call waits for a person then. */
  readonly asks?: true;
  answer(): Admission | Promise<Admission>;
}

/** A call that was claimed, with the policies that it was claimed under. */
interface Claimed extends Pick<Permit, "edited" | "changed" | "notes"> {
  readonly row: CallRecord;
  readonly call: ToolCall;
  /** What the detectors know it by. */
  readonly keys: CallKeys;
  readonly set: PolicySet;
  readonly budgets: CallBudgets;
}

function refuse(denial: Denial): Admission {
  return { admitted: false, denial };
}
