/**
 * The path of one call: normalize → evaluate → record → decide → execute → record. Read this file first.
 *
 * It runs one way. Nothing is executed that was not recorded durably before, and allow is said in exactly one place:
 * `#claim`, after its transaction has been committed. Whatever throws, hangs or is missing on the way ends in a denial.
 */
import { type ApprovalEvent, type ApprovalRecord, stepApproval } from "./approval.ts";
import { callFromBytes, type Malformed, normalize, type ToolCall } from "./call.ts";
import type { Decision, Denial, EvaluationContext, PauseReason } from "./decision.ts";
import { denialOf, deniedByPerson, malformedDenial, repeatedDenial, unavailableDenial } from "./denial.ts";
import { invariant, SafeRunError, unreachable } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import { type CallEvent, type CallRecord, type Outcome, stepCall } from "./lifecycle.ts";
import { LIMITS } from "./limits.ts";
import type { EntryDraft } from "./log/entry.ts";
import type { Clock, Hash, Notifier, Policies, Random, Store, Transaction } from "./ports.ts";
import {
  about,
  decided,
  executing,
  finished,
  malformedEntries,
  newId,
  proposed,
  question,
  requested,
  started,
  withdrawn,
} from "./record.ts";
import { contextOf, NOBODY, type Run, type RunOptions } from "./run.ts";

export interface GatePorts {
  readonly store: Store;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly hash: Hash;
  readonly random: Random;
  readonly notifier: Notifier;
}

export interface CallRequest {
  readonly tool: unknown;
  readonly args: unknown;
  /** The caller's own key, unique within the run: the same key never runs twice, and never with other arguments. */
  readonly key?: string;
  /** A caller that gave up must not see its tool run later. */
  readonly signal?: AbortSignal;
}

/** The right to run one call once, with exactly `args`. Whoever holds it must settle it. */
export interface Permit {
  readonly callId: string;
  readonly tool: string;
  /** A private copy, parsed from the recorded bytes. */
  readonly args: JsonObject;
  /** True when a person changed the arguments: the model is told what ran. */
  readonly edited: boolean;
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
}

/** How often a waiting call asks the store whether anything has changed. */
const POLL_MS = 25;

export function createGate(ports: GatePorts): Gate {
  return new EmbeddedGate(ports);
}

class EmbeddedGate implements Gate {
  readonly #ports: GatePorts;
  #revision = "";

  constructor(ports: GatePorts) {
    this.#ports = ports;
  }

  openRun(options: RunOptions): Run {
    const { agent, environment, principal = NOBODY, context = {}, prompt } = options;
    const id = options.id ?? newId("run", this.#ports.random);
    const run: Run = {
      id,
      agent,
      environment,
      principal,
      context,
      prompted: prompt !== undefined,
      depth: options.depth ?? 0,
      turn: 0,
      unwritten: [],
      messages: new Map(),
    };
    run.unwritten = [started(run, prompt, this.#ports.random)];
    return run;
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
    const callId = newId("call", this.#ports.random);
    try {
      return await this.#admit(run, request, callId);
    } catch (error) {
      // The outer boundary: no record, no execution; and our own bugs deny.
      return { admitted: false, denial: unavailableDenial(callId, request.tool, error) };
    }
  }

  /** A tool that only reads did nothing by throwing; one that writes may have acted before it threw. */
  outcomeOfThrow(tool: string): Outcome {
    const kind = this.#ports.policies.current().kind(tool);
    return kind === "read" || kind === "none" ? "failed" : "unknown";
  }

  async #admit(run: Run, request: CallRequest, callId: string): Promise<Admission> {
    const normalized = normalize(
      { tool: request.tool, args: request.args, agent: run.agent, environment: run.environment },
      this.#ports.hash,
    );
    if (!normalized.ok) return this.#refuseMalformed(run, request, callId, normalized.malformed);
    const { call } = normalized;

    const earlier = request.key === undefined ? undefined : await this.#ports.store.callByKey(run.id, request.key);
    if (earlier !== undefined) return this.#again(run, request, call, earlier);

    const now = this.#ports.clock.now();
    const context = contextOf(run, callId, 1, now);
    const decision = this.#evaluate(call, context);
    const row = newCall(callId, run, request, call, decision.revision, now);
    const proposal = [
      proposed(run, callId, call, this.#ports.random),
      decided(run, callId, decision, context, this.#ports.random),
    ];
    switch (decision.verdict) {
      case "allow": {
        const step = stepCall({ ...row, state: "approved" }, this.#claimEvent(decision.revision, now));
        invariant(step.ok, "a new call can be claimed");
        const claimed = { ...step.call, version: 1 };
        const committed = await this.#commit(run, {
          calls: [{ row: claimed, expect: null }],
          entries: [...proposal, executing(run, claimed)],
        });
        if (!committed) return this.#admit(run, request, callId);
        return this.#claim(run, request, claimed, call, false);
      }
      case "deny": {
        const committed = await this.#commit(run, {
          calls: [{ row: { ...row, state: "denied", bytes: null }, expect: null }],
          entries: proposal,
        });
        if (!committed) return this.#admit(run, request, callId);
        return { admitted: false, denial: denialOf(callId, call.tool, decision) };
      }
      case "pause": {
        const approval = this.#question(callId, run, call, decision, now);
        const committed = await this.#commit(run, {
          calls: [{ row: { ...row, approval: approval.id }, expect: null }],
          approvals: [{ row: approval, expect: null }],
          entries: [...proposal, requested(run, approval, this.#ports.random)],
        });
        if (!committed) return this.#admit(run, request, callId);
        this.#notify(approval);
        return this.#wait(run, request, callId);
      }
      default:
        return unreachable(decision.verdict);
    }
  }

  /** The same key again: never a second run. A call that still waits goes on waiting. */
  async #again(run: Run, request: CallRequest, call: ToolCall, earlier: CallRecord): Promise<Admission> {
    if (earlier.proposed !== call.digest) return { admitted: false, denial: repeatedDenial(earlier, "mismatch") };
    if (earlier.state === "pending" || earlier.state === "approved") return this.#wait(run, request, earlier.id);
    return { admitted: false, denial: repeatedDenial(earlier, "repeated") };
  }

  async #refuseMalformed(run: Run, request: CallRequest, callId: string, malformed: Malformed): Promise<Admission> {
    const { random } = this.#ports;
    const revision = this.#ports.policies.current().revision;
    await this.#commit(run, { entries: malformedEntries(run, callId, request, malformed, revision, random) });
    return { admitted: false, denial: malformedDenial(callId, request.tool, malformed) };
  }

  /** A paused call, until somebody answers, the time is over, or nobody wants it any more. */
  async #wait(run: Run, request: CallRequest, callId: string): Promise<Admission> {
    const { store, clock } = this.#ports;
    for (let attempt = 2; ; ) {
      const token = await store.changeToken();
      const call = await store.call(callId);
      invariant(call?.approval, "a waiting call has an approval");
      const approval = await store.approval(call.approval);
      invariant(approval, "a waiting call's approval exists");
      switch (call.state) {
        case "pending":
        case "approved": {
          const expiry =
            call.state === "approved" && approval.decision !== null ? approval.decision.validUntil : approval.deadline;
          if (request.signal?.aborted) await this.#end(run, call, approval, "aborted");
          else if (clock.now() >= expiry) await this.#end(run, call, approval, "expired");
          else if (call.state === "pending")
            await this.#change(token, Math.min(expiry, clock.now() + 1_000), request.signal);
          else {
            const admission = await this.#useApproval(run, request, call, approval, attempt++);
            if (admission !== undefined) return admission;
          }
          break;
        }
        case "denied":
          return { admitted: false, denial: deniedByPerson(call, approval) };
        case "expired":
          return { admitted: false, denial: repeatedDenial(call, request.signal?.aborted ? "aborted" : "expired") };
        case "executing":
        case "succeeded":
        case "failed":
        case "unknown":
          return { admitted: false, denial: repeatedDenial(call, "repeated") };
        default:
          return unreachable(call.state);
      }
    }
  }

  /**
   * An approved call is judged again, on the approved arguments and the policies of now: a deny wins, a reason that its
   * approver did not see asks anew, and only else it is claimed. Undefined: another step came first, look again.
   */
  async #useApproval(
    run: Run,
    request: CallRequest,
    row: CallRecord,
    approval: ApprovalRecord,
    attempt: number,
  ): Promise<Admission | undefined> {
    const { clock, hash } = this.#ports;
    invariant(approval.decision, "an approved call has a decision");
    const { bytes, digest, edited } = approval.decision;
    const call = callFromBytes({ tool: row.tool, agent: row.agent, environment: row.environment, bytes }, hash);
    const now = clock.now();
    const context = contextOf(run, row.id, attempt, now);
    const decision = call.digest === digest ? this.#evaluate(call, context) : mismatch(row.revision);
    const judged = { ...decided(run, row.id, decision, context, this.#ports.random), approval: approval.id };

    if (decision.verdict === "deny") {
      await this.#close(run, row, approval, { call: { type: "deny", now }, approval: { type: "withdraw", now } }, [
        judged,
        withdrawn(run, approval),
      ]);
      return { admitted: false, denial: denialOf(row.id, row.tool, decision) };
    }
    if (!permits(decision, approval.reasons)) {
      await this.#askAnew(run, row, approval, call, decision, judged);
      return undefined;
    }
    const claim = stepCall(row, this.#claimEvent(decision.revision, now));
    const consumed = stepApproval(approval, { type: "consume", digest: call.digest, now });
    if (!claim.ok || !consumed.ok) return undefined;
    const committed = await this.#commit(run, {
      calls: [{ row: claim.call, expect: row.version }],
      approvals: [{ row: consumed.approval, expect: approval.version }],
      entries: [
        judged,
        { ...about(run, row.id), type: "approval.consumed", approval: approval.id },
        executing(run, claim.call),
      ],
    });
    return committed ? this.#claim(run, request, claim.call, call, edited) : undefined;
  }

  /** The one place that says allow: the claim is durable, so the tool may be contacted, once, by us. */
  async #claim(run: Run, request: CallRequest, row: CallRecord, call: ToolCall, edited: boolean): Promise<Admission> {
    let settled = false;
    const settle = async (outcome: Outcome, result: unknown): Promise<void> => {
      invariant(!settled, "a permit is settled once");
      settled = true;
      await this.#finish(run, row, outcome, result);
    };
    if (request.signal?.aborted) {
      await settle("failed", "aborted before the tool was contacted");
      return { admitted: false, denial: repeatedDenial(row, "aborted") };
    }
    const args = JSON.parse(call.bytes) as JsonObject;
    return { admitted: true, permit: { callId: row.id, tool: row.tool, args, edited, idempotencyKey: row.id, settle } };
  }

  async #finish(run: Run, claimed: CallRecord, outcome: Outcome, result: unknown): Promise<void> {
    const { store, clock, random } = this.#ports;
    let row: CallRecord = claimed;
    const entry = finished(run, claimed, outcome, result, random);
    for (let tries = 0; tries < 3; tries++) {
      const step = stepCall(row, { type: "finish", outcome, fence: claimed.fence, now: clock.now() });
      if (!step.ok)
        throw new SafeRunError("call.conflict", `the outcome of call \`${row.id}\` was recorded by somebody else`);
      if (await this.#commit(run, { calls: [{ row: step.call, expect: row.version }], entries: [entry] })) return;
      // Somebody wrote the row in between, for example because the lease was over: the same fence may still report.
      const current = await store.call(row.id);
      invariant(current, "an executing call exists");
      row = current;
    }
    throw new SafeRunError("record.busy", `the outcome of call \`${row.id}\` could not be recorded`, {
      retryable: true,
    });
  }

  #evaluate(call: ToolCall, context: EvaluationContext): Decision {
    return this.#ports.policies.current().evaluate(call, context);
  }

  #claimEvent(revision: string, now: number) {
    return {
      type: "claim",
      owner: this.#ports.store.writerId,
      leaseUntil: now + LIMITS.leaseMs,
      revision,
      now,
    } as const;
  }

  /** True when it is durable, false when another step was first and nothing was written. Throws when it cannot be recorded. */
  async #commit(run: Run, transaction: Transaction): Promise<boolean> {
    const { store, policies } = this.#ports;
    const { revision } = policies.current();
    const before = [...run.unwritten];
    run.unwritten = [];
    if (revision !== this.#revision) before.unshift({ type: "policy.activated", revision });
    this.#revision = revision;
    let written = false;
    try {
      const result = await store.commit({ ...transaction, entries: [...before, ...transaction.entries] });
      written = result.ok;
    } finally {
      if (!written) run.unwritten = [...before.filter((draft) => draft.type !== "policy.activated"), ...run.unwritten];
      if (!written && before.length > 0) this.#revision = "";
    }
    return written;
  }

  /** Resolves when the store has changed, the time is over, or the caller gave up. */
  async #change(token: string, until: number, signal: AbortSignal | undefined): Promise<void> {
    const { store, clock } = this.#ports;
    while (!signal?.aborted && clock.now() < until) {
      await clock.sleep(POLL_MS, signal);
      if ((await store.changeToken()) !== token) return;
    }
  }

  /** Ends a call that waits: its time is over, or its caller gave up. */
  async #end(run: Run, call: CallRecord, approval: ApprovalRecord, why: "expired" | "aborted"): Promise<void> {
    const now = this.#ports.clock.now();
    const type = why === "expired" ? "approval.expired" : "approval.withdrawn";
    const entry: EntryDraft = { ...about(run, call.id), type, approval: approval.id };
    await this.#close(
      run,
      call,
      approval,
      { call: { type: "expire", now }, approval: { type: why === "expired" ? "expire" : "withdraw", now } },
      [entry],
    );
  }

  async #close(
    run: Run,
    call: CallRecord,
    approval: ApprovalRecord,
    events: { call: CallEvent; approval: ApprovalEvent },
    entries: readonly EntryDraft[],
  ): Promise<void> {
    const nextCall = stepCall(call, events.call);
    const nextApproval = stepApproval(approval, events.approval);
    if (!nextCall.ok || !nextApproval.ok) return;
    await this.#commit(run, {
      calls: [{ row: nextCall.call, expect: call.version }],
      approvals: [{ row: nextApproval.approval, expect: approval.version }],
      entries,
    });
  }

  async #askAnew(
    run: Run,
    row: CallRecord,
    old: ApprovalRecord,
    call: ToolCall,
    decision: Decision,
    judged: EntryDraft,
  ): Promise<void> {
    const now = this.#ports.clock.now();
    const approval = this.#question(row.id, run, call, decision, now);
    const asked = stepCall(row, { type: "ask", approval: approval.id, revision: decision.revision, now });
    const closed = stepApproval(old, { type: "withdraw", now });
    if (!asked.ok || !closed.ok) return;
    const committed = await this.#commit(run, {
      calls: [{ row: asked.call, expect: row.version }],
      approvals: [
        { row: closed.approval, expect: old.version },
        { row: approval, expect: null },
      ],
      entries: [judged, withdrawn(run, old), requested(run, approval, this.#ports.random)],
    });
    if (committed) this.#notify(approval);
  }

  #question(callId: string, run: Run, call: ToolCall, decision: Decision, now: number): ApprovalRecord {
    return question(newId("appr", this.#ports.random), callId, run, call, decision.pauses, now);
  }

  /** Tells people. Whatever the notifier does, throws or forgets, the call waits for a decision in the store. */
  #notify(approval: ApprovalRecord): void {
    Promise.resolve()
      .then(() => this.#ports.notifier.paused(approval))
      .catch((error: unknown) => this.#ports.notifier.failed?.(approval, error));
  }
}

/** An approval discharges exactly the reasons that its approver saw; a pause without a reason is discharged by none. */
function permits(decision: Decision, seen: readonly PauseReason[]): boolean {
  switch (decision.verdict) {
    case "allow":
      return true;
    case "deny":
      return false;
    case "pause":
      return (
        decision.pauses.length > 0 &&
        decision.pauses.every((now) => seen.some((then) => then.id === now.id && then.digest === now.digest))
      );
    default:
      return unreachable(decision.verdict);
  }
}

function newCall(
  id: string,
  run: Run,
  request: CallRequest,
  call: ToolCall,
  revision: string,
  now: number,
): CallRecord {
  return {
    id,
    version: 1,
    state: "pending",
    run: run.id,
    key: request.key ?? null,
    tool: call.tool,
    agent: call.agent,
    environment: call.environment,
    proposed: call.digest,
    digest: call.digest,
    bytes: call.bytes,
    revision,
    approval: null,
    owner: null,
    fence: 0,
    leaseUntil: null,
    createdAt: now,
    updatedAt: now,
  };
}

function mismatch(revision: string): Decision {
  const reason = "the approved arguments are not the ones that were stored";
  return { verdict: "deny", by: ["approval.mismatch"], reason, revision, rules: [], pauses: [] };
}
