/**
 * The recorded calls of a run, through the gate itself, under other policies, budgets and detectors: on a store in memory and
 * at the recorded times. No tool and no model is contacted: results, usage and people's answers are those of the record.
 */
import { decideApproval } from "../answer/decide.ts";
import type { Approver, GrantTerms } from "../approval/quorum.ts";
import type { ZoneOffset } from "../breaker/budget/window.ts";
import type { Principal, Verdict } from "../decision.ts";
import { invariant, SafeRunError } from "../errors.ts";
import type { ModelTicket } from "../gate/model.ts";
import type { Run } from "../gate/run.ts";
import { createGate, type Gate, type Permit } from "../gate.ts";
import { KEPT_WHOLE } from "../keeping.ts";
import type { StoredEntry } from "../log/entry.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Clock, Hash, Random, Store } from "../ports.ts";
import { canonicalJson, type Json, type JsonObject } from "../value/json.ts";
import { agentNamesIn, agentOf } from "./agents.ts";
import { STOPS, standing } from "./beside.ts";
import { decisionOf } from "./call-step.ts";
import {
  contentAt,
  exactValue,
  fieldOf,
  isMap,
  numberOf,
  type RecordedEntry,
  readEntry,
  shownValue,
  textOf,
  textsOf,
} from "./content.ts";
import type { CallDecision, RuleStep } from "./tree.ts";

/** Stands where it is put; sleeping takes no time. */
export class RecordedClock implements Clock {
  #now = 0;
  now(): number {
    return this.#now;
  }
  /** Never back. */
  moveTo(ms: number): void {
    this.#now = Math.max(this.#now, ms);
  }
  async sleep(): Promise<void> {}
}

export interface WhatIfPorts {
  /** Empty and in memory, on the same clock. */
  readonly store: Store;
  readonly clock: RecordedClock;
  readonly policies: PolicySet;
  readonly hash: Hash;
  readonly random: Random;
  readonly zones?: ZoneOffset;
}

/** Of one call, or of one question to a model. */
export interface WhatIfAnswer {
  readonly verdict: Verdict;
  readonly by: readonly string[];
  readonly reason: string | null;
  readonly rules: readonly RuleStep[];
  /** Its tool would run, or did. */
  readonly ran: boolean;
  /** The arguments that would run, where policies or a person changed them, as canonical JSON. */
  readonly changed: string | null;
}

export interface WhatIfCall {
  /** Position of its first entry in the log. */
  readonly seq: number;
  readonly kind: "call" | "model";
  /** Of the call, or of the question to the model. */
  readonly id: string;
  readonly tool: string;
  readonly before: WhatIfAnswer;
  readonly after: WhatIfAnswer;
}

/**
 * `malformed`: it was no call, which no policy is asked about. `erased`, `masked`: the log no longer holds what was judged.
 * `sealed`: nobody here can read it.
 */
export type NotReproducible = "malformed" | "erased" | "sealed" | "masked" | "incomplete";

/** In words: why, and what whoever asks can do. */
export const NOT_REPRODUCIBLE: Readonly<Record<NotReproducible, { readonly why: string; readonly instead: string }>> = {
  malformed: {
    why: "it was no call, which no policy is asked about",
    instead: "it is denied under any policies",
  },
  erased: {
    why: "its content was taken out of the log",
    instead: "what is gone stays gone; `saferun eval` judges a call that you write yourself",
  },
  sealed: {
    why: "its content is sealed, and the key is not beside the store",
    instead: "put `seal.key` and `keys.db` back beside the store",
  },
  masked: {
    why: "the record masks something of what was judged",
    instead: "`saferun replay RUN --fork STEP --set 'args={…}'` judges it with arguments that you know",
  },
  incomplete: {
    why: "its proposal is not among the entries",
    instead: "`saferun log verify` says what is missing from the log",
  },
};

export interface WhatIf {
  readonly revision: string;
  readonly judged: readonly WhatIfCall[];
  readonly missing: readonly {
    readonly seq: number;
    readonly call: string;
    readonly tool: string;
    readonly why: NotReproducible;
  }[];
}

/** True where another decision was made, or something else would have run. */
export function isChanged({ before, after }: Pick<WhatIfCall, "before" | "after">): boolean {
  return before.verdict !== after.verdict || before.ran !== after.ran || before.changed !== after.changed;
}

/**
 * A call that these policies stop does not run, and takes nothing from budgets. One that they let run although it did not is
 * without a result: what it holds stays held. Budgets and detectors begin empty, so that what other runs had spent or done
 * before is not in it; what an operator had stopped stays stopped.
 *
 * @param replaced Calls with other arguments than recorded, by their ids.
 * @throws SafeRunError where the store in memory fails.
 */
export async function whatIf(
  run: string,
  entries: readonly StoredEntry[],
  ports: WhatIfPorts,
  replaced: ReadonlyMap<string, JsonObject> = new Map(),
): Promise<WhatIf> {
  const recorded = entries.map((entry) => readEntry(entry)).filter(({ header }) => header.run?.id === run);
  const replay = new RunReplay(run, recorded, ports, replaced);
  for (const entry of recorded) await replay.take(entry);
  return replay.result();
}

interface OpenCall {
  readonly proposed: RecordedEntry;
  run?: Run;
  approval?: string;
  permit?: Permit;
  index?: number;
}

class RunReplay {
  readonly #id: string;
  readonly #ports: WhatIfPorts;
  readonly #gate: Gate;
  readonly #replaced: ReadonlyMap<string, JsonObject>;
  readonly #started: RecordedEntry | undefined;
  readonly #names: ReadonlyMap<string, string>;
  readonly #ran: ReadonlyMap<string, string | null>;
  readonly #runs = new Map<string, Run>();
  readonly #calls = new Map<string, OpenCall>();
  readonly #tickets = new Map<string, { readonly run: Run; readonly ticket: ModelTicket }>();
  readonly #judged: WhatIfCall[] = [];
  readonly #missing: WhatIf["missing"][number][] = [];

  constructor(
    id: string,
    entries: readonly RecordedEntry[],
    ports: WhatIfPorts,
    replaced: ReadonlyMap<string, JsonObject>,
  ) {
    this.#id = id;
    this.#ports = ports;
    this.#replaced = replaced;
    this.#started = entries.find(({ header }) => header.type === "run.started");
    this.#names = agentNamesIn(entries);
    this.#ran = ranArguments(entries);
    // What is judged again is kept in memory, whole: there are no keys to seal it with.
    const judging = { ...ports.policies, keeping: () => KEPT_WHOLE, conversationSeal: () => null };
    const policies = { current: () => judging };
    this.#gate = createGate({ ...ports, policies, notifier: { paused: () => {} } });
  }

  result(): WhatIf {
    return { revision: this.#ports.policies.revision, judged: this.#judged, missing: this.#missing };
  }

  async take(entry: RecordedEntry): Promise<void> {
    const { type, call, approval } = entry.header;
    switch (type) {
      case "call.proposed":
        if (call !== undefined) this.#calls.set(call, { proposed: entry });
        return;
      case "call.decided":
        return call === undefined || approval !== undefined ? undefined : this.#judge(call, entry);
      case "approval.voted":
      case "approval.decided":
        return call === undefined ? undefined : this.#answer(call, entry);
      case "call.finished":
        return call === undefined ? undefined : this.#finish(call, entry);
      case "model.requested":
      case "model.refused":
        return this.#ask(entry);
      case "model.responded":
      case "model.failed":
        return this.#end(entry);
      default:
        return;
    }
  }

  async #judge(id: string, entry: RecordedEntry): Promise<void> {
    const open = this.#calls.get(id);
    const { tool, why, args } = this.#input(id, open, entry);
    if (open === undefined || why !== null) {
      this.#missing.push({ seq: entry.seq, call: id, tool, why: why ?? "incomplete" });
      return;
    }
    open.run = this.#runOf(entry);
    this.#ports.clock.moveTo(
      numberOf(shownValue(contentAt(entry.part("decision"), "context", "now"))) ?? entry.header.time,
    );
    const said = await this.#admit(id, open, { tool, args });
    const recorded = decisionOf(entry);
    const ran = this.#ran.get(id);
    const before = answered(recorded, ran !== undefined, ran ?? null);
    const stands = standing(said.answer, recorded, STOPS);
    const after = stands.verdict === said.answer.verdict ? said.answer : { ...said.answer, ...stands, ran: false };
    open.index = this.#judged.length;
    this.#judged.push({ seq: open.proposed.seq, kind: "call", id, tool, before, after });
  }

  #input(id: string, open: OpenCall | undefined, entry: RecordedEntry) {
    const proposed = open?.proposed;
    const name = proposed?.header.tool ?? exactValue(proposed?.part("tool") ?? null);
    const tool = textOf(name) ?? "(no name)";
    const content = proposed?.part("arguments") ?? null;
    const context = entry.part("decision");
    const args = this.#replaced.get(id) ?? exactValue(content);
    const inner = contentAt(context, "context");
    const gone = [content, context].some((one) => one === null || one.state === "erased" || one.state === "missing");
    const isSealed = [content, context].some((one) => one?.state === "sealed");
    const why: NotReproducible | null = entry.header.rules?.includes("call.malformed")
      ? "malformed"
      : proposed === undefined
        ? "incomplete"
        : gone && !this.#replaced.has(id)
          ? "erased"
          : isSealed
            ? "sealed"
            : !isMap(args) || exactValue(inner) === undefined || name === undefined
              ? "masked"
              : null;
    return { tool, why, args: isMap(args) ? args : {} };
  }

  async #admit(id: string, open: OpenCall, { tool, args }: { readonly tool: string; readonly args: Json }) {
    const { run } = open;
    const before = (await this.#ports.store.head()).size;
    invariant(run, "a call that is judged again has a run");
    const admission = await this.#gate.admit(run, { tool, args, key: id, maxWaitMs: 0 });
    if (admission.admitted) open.permit = admission.permit;
    else if (admission.denial.approval !== undefined) open.approval = admission.denial.approval;
    const written = await this.#ports.store.entries({ from: before, limit: 1_000 });
    const decided = written.map((entry) => readEntry(entry)).find(({ header }) => header.type === "call.decided");
    const text = admission.admitted ? canonicalJson(admission.permit.args) : null;
    const changed = text === canonicalJson(args) ? null : text;
    if (decided !== undefined) return { answer: answered(decisionOf(decided), admission.admitted, changed) };
    invariant(!admission.admitted, "a call that runs was decided on");
    const { rules, reason } = admission.denial;
    return {
      answer: { verdict: "deny", by: rules, reason, rules: [], ran: false, changed: null } satisfies WhatIfAnswer,
    };
  }

  /** The same person gives the same answer; where the question is another one, it may not be theirs to give. */
  async #answer(id: string, entry: RecordedEntry): Promise<void> {
    const open = this.#calls.get(id);
    const actor = shownValue(entry.part("actor"));
    const by = approverOf(fieldOf(actor, "by"));
    if (open?.approval === undefined || by === undefined || open.index === undefined) return;
    const { clock, store, hash, random } = this.#ports;
    clock.moveTo(entry.header.time);
    const args = fieldOf(actor, "edited") === true ? exactValue(entry.part("arguments")) : undefined;
    if (fieldOf(actor, "edited") === true && args === undefined) return;
    const verdict = entry.header.verdict === "deny" ? "deny" : "approve";
    const grant = fieldOf(actor, "grant");
    const answer = await decideApproval(
      { store, clock, hash, random },
      {
        approval: open.approval,
        verdict,
        by,
        ...(args === undefined ? {} : { args }),
        ...(isGrant(grant) && verdict === "approve" ? { grant } : {}),
      },
    );
    if (answer.status !== "applied" || verdict === "deny") return;
    const judged = this.#judged[open.index];
    const proposed = this.#replaced.get(id) ?? exactValue(open.proposed.part("arguments"));
    if (judged === undefined || proposed === undefined) return;
    const { answer: said } = await this.#admit(id, open, { tool: judged.tool, args: proposed });
    const after = { ...judged.after, ran: said.ran, changed: said.changed };
    this.#judged[open.index] = { ...judged, after };
  }

  async #finish(id: string, entry: RecordedEntry): Promise<void> {
    const open = this.#calls.get(id);
    const permit = open?.permit;
    if (open === undefined || permit === undefined) return;
    delete open.permit;
    this.#ports.clock.moveTo(entry.header.time);
    const result = entry.part("result") ?? entry.part("error");
    await permit.settle(entry.header.outcome ?? "unknown", shownValue(result) ?? null);
  }

  async #ask(entry: RecordedEntry): Promise<void> {
    const { model: id = `${entry.seq}`, type, time } = entry.header;
    const spend = shownValue(entry.part("spend"));
    const model = textOf(shownValue(contentAt(entry.part("prompt"), "model"))) ?? "";
    const bound = { usdMicros: amountOf(fieldOf(spend, "usd_micros")), tokens: amountOf(fieldOf(spend, "tokens")) };
    const prices = textOf(fieldOf(spend, "prices"));
    const run = this.#runOf(entry);
    this.#ports.clock.moveTo(time);
    const recorded = decisionOf(entry);
    const asked = type === "model.requested";
    const before: WhatIfAnswer = asked ? ASKED : answered(recorded, false, null);
    let after: WhatIfAnswer = ASKED;
    try {
      const ticket = await this.#gate.model.request(run, { model, messages: [], settings: null, bound, prices });
      this.#tickets.set(id, { run, ticket });
      const stands = standing(after, recorded, STOPS);
      if (stands.verdict !== after.verdict) after = { ...after, ...stands, ran: false };
    } catch (error) {
      if (!(error instanceof SafeRunError)) throw error;
      const by = textsOf(error.details.rules as Json) ?? [error.code];
      after = { verdict: "deny", by, reason: error.message, rules: [], ran: false, changed: null };
    }
    this.#judged.push({ seq: entry.seq, kind: "model", id, tool: model, before, after });
  }

  async #end(entry: RecordedEntry): Promise<void> {
    const { model: id, type, time } = entry.header;
    const asked = id === undefined ? undefined : this.#tickets.get(id);
    if (id === undefined || asked === undefined) return;
    this.#tickets.delete(id);
    this.#ports.clock.moveTo(time);
    const spend = shownValue(entry.part("spend"));
    const [usdMicros, tokens] = [amountOf(fieldOf(spend, "usd_micros")), amountOf(fieldOf(spend, "tokens"))];
    const known = fieldOf(spend, "estimate") !== true && (usdMicros !== null || tokens !== null);
    if (type === "model.failed") await this.#gate.model.failure(asked.run, asked.ticket, null, usdMicros !== 0n);
    else await this.#gate.model.response(asked.run, asked.ticket, null, known ? { usdMicros, tokens } : null);
  }

  /** The run as this entry says it was: whose, of which agent, how deep. */
  #runOf(entry: RecordedEntry): Run {
    const context = shownValue(contentAt(entry.part("decision"), "context")) ?? null;
    const start = shownValue(this.#started?.part("context") ?? null);
    const stated = shownValue(this.#started?.part("stated") ?? null);
    const { environment = "prod", step = 0 } = entry.header;
    const facts = {
      agent: textOf(fieldOf(context, "agent")) ?? agentOf([entry], this.#names) ?? "agent",
      environment: textOf(fieldOf(context, "environment")) ?? environment,
      principal: fieldOf(context, "principal") ?? fieldOf(start, "principal") ?? null,
      context: fieldOf(context, "context") ?? stated ?? fieldOf(start, "context") ?? null,
      depth: numberOf(fieldOf(fieldOf(context, "call"), "depth")) ?? numberOf(fieldOf(start, "depth")) ?? 0,
      owner: textOf(fieldOf(start, "owner")) ?? "",
    };
    const key = canonicalJson(facts);
    const known = this.#runs.get(key);
    if (known !== undefined) {
      known.turn = step;
      return known;
    }
    const { principal, context: claims, ...rest } = facts;
    const around = textsOf(fieldOf(start, "around")) ?? [];
    const root = around.at(-1);
    const prompt = textsOf(exactValue(this.#started?.part("user-prompt") ?? null));
    const run = this.#gate.openRun({
      ...rest,
      id: this.#id,
      ...(isPrincipal(principal) ? { principal } : {}),
      context: isMap(claims) ? claims : {},
      ...(prompt === undefined ? {} : { prompt }),
      ...(root === undefined ? {} : { parent: { root, runs: around, depth: facts.depth - 1 } }),
    });
    run.turn = step;
    this.#runs.set(key, run);
    return run;
  }
}

const ASKED: WhatIfAnswer = { verdict: "allow", by: [], reason: null, rules: [], ran: true, changed: null };

function answered({ verdict, by, reason, rules }: CallDecision, ran: boolean, changed: string | null): WhatIfAnswer {
  return { verdict, by, reason, rules, ran, changed };
}

/** Calls that ran, with the arguments that they ran with where those differ from the proposed ones. */
function ranArguments(entries: readonly RecordedEntry[]): ReadonlyMap<string, string | null> {
  const proposed = new Map<string, string>();
  const standing = new Map<string, string>();
  const ran = new Map<string, string | null>();
  for (const entry of entries) {
    const { call, type } = entry.header;
    if (call === undefined) continue;
    const args = exactValue(entry.part("arguments"));
    const text = args === undefined ? undefined : canonicalJson(args);
    if (type === "call.proposed" && text !== undefined) proposed.set(call, text);
    if (type === "approval.decided" && text !== undefined) standing.set(call, text);
    if (type === "call.decided" && entry.header.approval === undefined) {
      const changed = exactValue(contentAt(entry.part("decision"), "decision", "changed", "args"));
      if (changed !== undefined) standing.set(call, canonicalJson(changed));
    }
    if (type === "call.executing") {
      const last = standing.get(call);
      ran.set(call, last === undefined || last === proposed.get(call) ? null : last);
    }
  }
  return ran;
}

function amountOf(value: Json | undefined): bigint | null {
  const text = textOf(value);
  return text !== null && /^\d{1,30}$/.test(text) ? BigInt(text) : null;
}

function approverOf(value: Json | undefined): Approver | undefined {
  const [id, via] = [textOf(fieldOf(value, "id")), textOf(fieldOf(value, "via"))];
  if (id === null) return undefined;
  const roles = textsOf(fieldOf(value, "roles"));
  return {
    id,
    via: via ?? "",
    verified: fieldOf(value, "verified") === true,
    ...(roles === undefined ? {} : { roles }),
  };
}

function isGrant(value: unknown): value is GrantTerms {
  if (typeof value !== "object" || value === null) return false;
  const { same, forMs, count } = value as Partial<Record<keyof GrantTerms, unknown>>;
  return Array.isArray(same) && typeof forMs === "number" && typeof count === "number";
}

function isPrincipal(value: unknown): value is Principal {
  if (typeof value !== "object" || value === null) return false;
  const { id, kind, roles, labels } = value as Partial<Record<keyof Principal, unknown>>;
  const known = kind === "person" || kind === "service" || kind === "none";
  return typeof id === "string" && known && Array.isArray(roles) && typeof labels === "object" && labels !== null;
}
