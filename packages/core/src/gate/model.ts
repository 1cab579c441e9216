/**
 * Calls of models: what is asked and what is answered is recorded before and after, a prompt's history stored once; what it
 * may cost is held before, in the transaction that records the question, and what it cost is booked with the answer.
 */
import type { ZoneOffset } from "../breaker/budget/window.ts";
import type { Motion, Protection } from "../breaker/protect/motion.ts";
import type { Objection } from "../breaker/protect/objection.ts";
import type { ModelBound } from "../budget.ts";
import { toHex } from "../call.ts";
import type { Decision } from "../decision.ts";
import { invariant, SafeRunError } from "../errors.ts";
import type { Keeping } from "../keeping.ts";
import { LIMITS } from "../limits.ts";
import type { EntryDraft, PartDraft } from "../log/entry.ts";
import { partCommitment } from "../log/part.ts";
import type { Clock, Hash, Policies, Random, Transaction } from "../ports.ts";
import type { PartRecorder } from "../redaction/redactor.ts";
import { formatDecimal } from "../value/decimal.ts";
import { type CallBudgets, callerOf, objected, reckoned } from "./call-protection.ts";
import { type ModelClaims, modelClaims, UNASKED } from "./model-claims.ts";
import { about, errorText, headerRules, keeping, keepingOfConversation, newId, part } from "./record.ts";
import { contextOf, type Run } from "./run.ts";
import type { RunWriter } from "./run-writer.ts";

export interface ModelRequest {
  /** Provider and model, as the framework names them: `PROVIDER:MODEL`. */
  readonly model: string;
  readonly messages: readonly unknown[];
  /** Tools offered, temperature and the like; stored once while it stays the same. */
  readonly settings: unknown;
  /** What it may use at most. Absent: unknown. */
  readonly bound?: ModelBound;
  /** Version of the price table that the bound is from; null where it has no price for this model. */
  readonly prices?: string | null;
}

/** A call of a model that is recorded and held for. Whoever has it ends it: with `response` or with `failure`, once. */
export interface ModelTicket {
  readonly id: string;
  readonly bound: ModelBound;
  readonly prices: string | null;
  readonly claims: ModelClaims;
}

interface ModelPorts {
  readonly policies: Policies;
  readonly clock: Clock;
  readonly hash: Hash;
  readonly random: Random;
  readonly zones?: ZoneOffset;
  readonly redactor?: PartRecorder;
}

const UNBOUNDED: ModelBound = Object.freeze({ usdMicros: null, tokens: null });

export class ModelRecorder {
  readonly #writer: RunWriter;
  readonly #ports: ModelPorts;
  readonly #ended = new WeakSet<ModelTicket>();

  constructor(writer: RunWriter, ports: ModelPorts) {
    this.#writer = writer;
    this.#ports = ports;
  }

  /**
   * Before the model is contacted. A message that this run has stored already is not stored again, and a prompt that
   * continues the one before says only what was added: a run of N steps costs N.
   * @throws SafeRunError `budget.exhausted` or `breaker.open` where the policies, a stop or a breaker refuse the call, which
   * is recorded; `record.*` and `seal.missing` when it cannot be recorded. In each case the model must not be asked.
   */
  async request(run: Run, request: ModelRequest): Promise<ModelTicket> {
    const { policies, clock, hash, random, zones } = this.#ports;
    const { bound = UNBOUNDED, prices = null } = request;
    const now = clock.now();
    const id = newId("model", random, now);
    const set = policies.current();
    const { call: _, ...context } = contextOf(run, id, 1, now);
    const declared = set.modelBudgets(request.model, context, bound);
    const { windows } = this.#writer;
    if (declared.length > 0) await windows.ready();
    const claims = modelClaims(declared, run.environment, { run, zones, at: () => windows.now() });
    const budgets: CallBudgets = { ...claims, actual: () => [] };
    const observe = set.observes(run.environment);
    const ruled = reckoned({ ...ALLOWED, revision: set.revision }, claims, observe);
    const reserve: Motion = {
      type: "reserve",
      id,
      caller: callerOf(run),
      settings: set.detectors({ agent: run.agent, environment: run.environment, tool: "" }),
      claims: claims.claims,
      usdMicros: bound.usdMicros,
      observe,
      at: now,
      deadline: now + LIMITS.modelHoldMs,
    };
    const keep = keepingOfConversation(set, run, hash);
    const asked = this.#question(run, id, request, keep);
    const spend = spendPart({ id, bound, prices, budgets: claims.claims.map(({ budget }) => budget) }, random);
    let decision: Decision = ruled;
    let objection: Objection | null = null;
    await this.#write(run, (said) => {
      objection = said;
      decision = unasked(said === null ? ruled : objected(ruled, said, { budgets, policies: set, hash }));
      const content =
        decision.verdict === "allow" && decision.would === undefined ? [] : [part("decision", decision, random)];
      const spent = claims.claims.length > 0 || isKnown(bound) ? [spend] : [];
      const entries = asked.entries([...spent, ...content], decision);
      // What the rules refuse holds nothing, and is no spending that a cap could trip on.
      return { entries, ...(ruled.verdict === "deny" ? {} : { protection: { motions: [reserve], accounted: "" } }) };
    });
    asked.recorded();
    if (decision.verdict !== "allow") throw refusal(decision, objection, bound);
    return { id, bound, prices, claims };
  }

  /**
   * Before the answer is handed on: it is recorded and booked in one transaction. Ends the turn.
   * @param used What the provider says it took. Null: the estimate is booked, and marked as one.
   */
  async response(run: Run, ticket: ModelTicket, response: unknown, used: ModelBound | null = null): Promise<void> {
    const parts = [part("response", response, this.#ports.random)];
    await this.#end(run, ticket, { type: "model.responded", parts }, { ran: true, used });
    run.turn += 1;
  }

  /** @param ran False only where the provider surely did no work: what was held is given back. */
  async failure(run: Run, ticket: ModelTicket, error: unknown, ran = true): Promise<void> {
    const parts = [part("error", errorText(error), this.#ports.random)];
    await this.#end(run, ticket, { type: "model.failed", parts }, { ran, used: null });
  }

  async #end(
    run: Run,
    ticket: ModelTicket,
    entry: EntryDraft & { readonly parts: readonly PartDraft[] },
    { ran, used }: { readonly ran: boolean; readonly used: ModelBound | null },
  ): Promise<void> {
    invariant(!this.#ended.has(ticket), "a call of a model ends once");
    this.#ended.add(ticket);
    const { id, bound, prices, claims } = ticket;
    const known = used ?? UNBOUNDED;
    const booked = ran
      ? { usdMicros: known.usdMicros ?? bound.usdMicros, tokens: known.tokens ?? bound.tokens }
      : NOTHING;
    const estimate = ran && used === null;
    const spend = spendPart({ id, bound: booked, prices, estimate }, this.#ports.random);
    const parts = [...entry.parts, ...(claims.claims.length > 0 || isKnown(booked) ? [spend] : [])];
    const { usdMicros } = known;
    const { unbounded } = claims;
    const settle: Motion = { type: "settle", id, ran, actual: ran ? claims.actual(known) : [], usdMicros, unbounded };
    const protection: Protection = { motions: [settle], accounted: "" };
    const keep = keepingOfConversation(this.#ports.policies.current(), run, this.#ports.hash);
    await this.#write(run, () => ({ entries: [keeping({ ...entry, model: id, parts }, keep)], protection }));
  }

  /** The entries of a question, and what the run remembers of it once they are durable. */
  #question(run: Run, id: string, request: ModelRequest, keep: Keeping) {
    const { hash } = this.#ports;
    const sealed = (content: PartDraft): PartDraft => this.#sealed(run, id, content, keep);
    const fresh = new Map<string, string>();
    const stored: PartDraft[] = [];
    const refer = (name: string, value: unknown): string => {
      const clear = this.#part(name, value);
      // Never written: who reads the log cannot try what a message might have been.
      const digest = toHex(hash.sha256(clear.bytes));
      const known = run.messages.get(digest) ?? fresh.get(digest);
      if (known !== undefined) return known;
      const content = sealed(clear);
      const commitment = this.#commitment(content);
      fresh.set(digest, commitment);
      stored.push(content);
      return commitment;
    };
    const messages = request.messages.map((message, index) => refer(`message/${index}`, message));
    const settings = refer("settings", request.settings);
    const after = run.prompt === null ? null : run.prompt.commitment;
    const shared = sharedPrefix(run.prompt?.messages ?? [], messages);
    const added = messages.slice(shared);
    const listed = { model: request.model, settings, after, keep: shared, messages: added };
    const prompt = sealed(this.#part("prompt", listed));
    const [last = [], ...earlier] = inGroups(stored).reverse();
    const overflow = earlier
      .reverse()
      .map((group): EntryDraft => ({ type: "model.messages", model: id, parts: group }));
    return {
      entries: (more: readonly PartDraft[], { verdict, by, revision }: Decision): EntryDraft[] => {
        const parts = [...last, prompt, ...more];
        const entry: EntryDraft =
          verdict === "allow"
            ? { type: "model.requested", model: id, parts }
            : { type: "model.refused", model: id, verdict, rules: headerRules(by), revision, parts };
        return [...overflow, entry].map((one) => keeping(one, keep));
      },
      recorded: (): void => {
        for (const [digest, commitment] of fresh) run.messages.set(digest, commitment);
        run.prompt = { commitment: this.#commitment(prompt), messages };
      },
    };
  }

  /** Masked before its commitment is named: prompts refer to their messages by it. */
  #part(name: string, value: unknown): PartDraft {
    const { random, redactor } = this.#ports;
    const content = part(name, value, random);
    return redactor === undefined ? content : redactor.part(content);
  }

  /** A store that seals by itself would make other bytes than those whose commitment is named here. */
  #sealed(run: Run, model: string, content: PartDraft, keep: Keeping): PartDraft {
    const { redactor } = this.#ports;
    if (keep.seal === undefined) return content;
    if (redactor === undefined)
      throw new SafeRunError("seal.missing", "the policies seal prompts, and no keys are here");
    return redactor.sealed(content, { run: run.id, type: "model.requested", model }, keep);
  }

  #commitment(content: PartDraft): string {
    return toHex(partCommitment(content, this.#ports.hash));
  }

  async #write(run: Run, build: (objection: Objection | null) => Transaction): Promise<void> {
    const written = await this.#writer.commitJudged(run, (objection) => {
      const made = build(objection);
      return { ...made, entries: made.entries.map((entry) => ({ ...about(run), ...entry })) };
    });
    if (!written)
      throw new SafeRunError("record.busy", "the call of a model could not be recorded", { retryable: true });
  }
}

const ALLOWED: Decision = { verdict: "allow", by: [], reason: "", revision: "", rules: [], pauses: [] };
const NOTHING: ModelBound = Object.freeze({ usdMicros: 0n, tokens: 0n });

/** A framework that asks a model waits for no person: what would ask is a denial that says so. */
function unasked(decision: Decision): Decision {
  if (decision.verdict !== "pause") return decision;
  return { ...decision, verdict: "deny", pauses: [], fix: decision.fix ?? UNASKED };
}

/** What stopped it for good is a breaker's or a person's; everything else is money. */
function refusal({ by, reason, fix }: Decision, objection: Objection | null, bound: ModelBound): SafeRunError {
  const stopped =
    objection !== null &&
    (objection.stop !== null ||
      objection.refusals.length > 0 ||
      objection.findings.some(({ mode, reaction }) => mode === "enforce" && reaction !== "deny"));
  const refused = `the model was not called (${by.join(", ")}): ${reason}`;
  if (stopped) return new SafeRunError("breaker.open", refused, { details: { rules: by } });
  const [usdMicros, tokens] = [bound.usdMicros, bound.tokens].map((amount) =>
    amount === null ? null : String(amount),
  );
  const most = bound.usdMicros === null ? [] : [`at most it costs ${formatDecimal(bound.usdMicros, 6)} dollars`];
  const why = [refused, ...most, fix ?? "a smaller `maxOutputTokens` holds less"].join("; ");
  return new SafeRunError("budget.exhausted", why, { details: { rules: by, usdMicros, tokens } });
}

function isKnown({ usdMicros, tokens }: ModelBound): boolean {
  return usdMicros !== null || tokens !== null;
}

function spendPart(
  {
    bound,
    ...of
  }: {
    readonly id: string;
    readonly bound: ModelBound;
    readonly prices: string | null;
    readonly estimate?: boolean;
    readonly budgets?: readonly string[];
  },
  random: Random,
): PartDraft {
  const [usd, tokens] = [bound.usdMicros, bound.tokens].map((amount) => (amount === null ? null : String(amount)));
  return part("spend", { ...of, usd_micros: usd, tokens }, random);
}

/** A header holds a commitment for each part and has a bound, so a long history takes several entries. */
const PARTS_IN_ENTRY = 32;

function inGroups(parts: readonly PartDraft[]): PartDraft[][] {
  const groups: PartDraft[][] = [];
  for (let at = 0; at < parts.length; at += PARTS_IN_ENTRY) groups.push(parts.slice(at, at + PARTS_IN_ENTRY));
  return groups;
}

function sharedPrefix(before: readonly string[], now: readonly string[]): number {
  let length = 0;
  while (length < before.length && length < now.length && before[length] === now[length]) length++;
  return length;
}
