/**
 * What is remembered of one agent across its runs: how often it calls, whom it writes to, how many of its runs were
 * stopped. Plain JSON and bounded; what belongs to a tool or a recipient is stored in rows of its own.
 */

import type { LoopSettings } from "../../detectors.ts";
import { isEffectful } from "../../traits.ts";
import { type Contacts, contactOf, withContact } from "./contacts.ts";
import { type Finding, makeFinding, named } from "./finding.ts";
import type { CallKeys } from "./fingerprint.ts";

/** Tools that are told apart. The oldest is forgotten first. */
const TOOLS = 256;
const TRIPS = 32;

export interface AgentHistory {
  /** Tool → how many calls it had in each slice of the window, oldest first. May hold only the tool of the call at hand. */
  readonly tools: readonly ToolRate[];
  /** How many recipients were new in each slice of the window, oldest first. */
  readonly fresh: readonly RateSlice[];
  /** Whom the agent wrote to. May hold only what the calls at hand need (`contactBucket`): steps look at no others. */
  readonly contacts: Contacts;
  /** Runs that were stopped, oldest first. */
  readonly trips: readonly { readonly at: number; readonly run: string; readonly principal: string }[];
  /** Until when a person's approval covers rate or novelty, by finding key. */
  readonly approved: Readonly<Record<string, number>>;
}

type ToolRate = readonly [tool: string, slices: readonly RateSlice[]];

/** `start`: ms since 1970. */
export type RateSlice = readonly [start: number, calls: number];

/** Of a window. A slice that the window has left in part counts no more: a rate is never found before it was reached. */
const SLICES = 12;

export type AgentEvent =
  | { readonly type: "proposed"; readonly keys: CallKeys }
  /** A run of this agent was stopped by a detector; `principal` is empty where it acts for nobody. */
  | { readonly type: "run_tripped"; readonly run: string; readonly principal: string }
  /** A person approved these findings: they stay silent for one window. */
  | { readonly type: "approved"; readonly keys: readonly string[] };

export interface AgentStep {
  readonly state: AgentHistory;
  readonly findings: readonly Finding[];
}

type AgentSettings = Pick<LoopSettings, "rate" | "novelty" | "trips">;

export function newAgent(): AgentHistory {
  return { tools: [], fresh: [], contacts: {}, trips: [], approved: {} };
}

/** Pure. `now` is the store's clock, ms. */
export function stepAgent(state: AgentHistory, event: AgentEvent, now: number, settings: AgentSettings): AgentStep {
  switch (event.type) {
    case "proposed":
      return proposed(state, event.keys, now, settings);
    case "run_tripped":
      return tripped(state, event.run, event.principal, now, settings.trips);
    case "approved": {
      const until = now + Math.max(settings.rate.withinMs, settings.novelty.withinMs);
      const live = Object.entries(state.approved).filter(([, end]) => end > now);
      const added = event.keys.map((key): [string, number] => [key, until]);
      return { state: { ...state, approved: Object.fromEntries([...live, ...added]) }, findings: [] };
    }
  }
}

function proposed(state: AgentHistory, keys: CallKeys, now: number, settings: AgentSettings): AgentStep {
  const { rate } = settings;
  const slices = inWindow(state.tools.find(([tool]) => tool === keys.tool)?.[1] ?? [], now, rate.withinMs);
  const times = total(slices);
  const findings: Finding[] = [];
  const found = (finding: Finding): void => {
    if ((state.approved[finding.key] ?? 0) <= now) findings.push(finding);
  };
  if (times >= rate.calls) found(tooOften(keys, rate, times, rate.calls, `rate:${keys.tool}`, "calls"));
  const tools = withRate(state.tools, [keys.tool, counted(slices, 1, now, rate.withinMs)]);
  // Most calls reach nobody.
  const reaches = isEffectful(keys.kind) && keys.recipients.length > 0;
  const next = { ...state, tools, ...(reaches ? reached(state, keys, now, settings, found) : {}) };
  return { state: next, findings };
}

/** Whom the agent wrote to, after a call to these recipients. */
function reached(
  { contacts: before, fresh }: AgentHistory,
  keys: CallKeys,
  now: number,
  { rate, novelty }: AgentSettings,
  found: (finding: Finding) => void,
): Pick<AgentHistory, "contacts" | "fresh"> {
  let contacts = before;
  let added = 0;
  for (const recipient of keys.recipients) {
    const known = contactOf(before, recipient);
    if (known === undefined) added++;
    const calls = (known ?? []).filter((time) => time > now - rate.withinMs);
    if (calls.length >= rate.recipient) {
      const key = `rate:${keys.tool}:${recipient}`;
      found(tooOften(keys, rate, calls.length, rate.recipient, key, "calls to one recipient"));
    }
    contacts = withContact(contacts, recipient, [...calls, now].slice(-rate.recipient));
  }
  if (added === 0) return { contacts, fresh };
  const lately = inWindow(fresh, now, novelty.withinMs);
  const count = total(lately) + added;
  if (count > novelty.recipients) found(tooNew(keys, novelty, count));
  return { contacts, fresh: counted(lately, added, now, novelty.withinMs) };
}

function tooOften(
  keys: CallKeys,
  rate: LoopSettings["rate"],
  count: number,
  limit: number,
  key: string,
  what: string,
): Finding {
  return makeFinding({
    detector: "rate",
    reaction: rate.over,
    mode: rate.mode,
    key,
    tool: keys.tool,
    count,
    limit,
    calls: [],
    observed: `The tool ${named(keys.tool)} had ${count} ${what} within ${rate.withinMs / 1_000} seconds.`,
    allowed: "Still allowed: other tools, or an answer to the person.",
  });
}

function tooNew(keys: CallKeys, novelty: LoopSettings["novelty"], count: number): Finding {
  return makeFinding({
    detector: "novelty",
    reaction: novelty.over,
    mode: novelty.mode,
    key: "novelty",
    tool: keys.tool,
    count,
    limit: novelty.recipients,
    calls: [],
    observed: `With this call the agent writes to ${count} recipients within ${novelty.withinMs / 60_000} minutes that it never wrote to before.`,
    allowed: "Still allowed: recipients that the agent wrote to before.",
  });
}

function tripped(
  state: AgentHistory,
  run: string,
  principal: string,
  now: number,
  settings: LoopSettings["trips"],
): AgentStep {
  const others = state.trips.filter((trip) => trip.run !== run && trip.at > now - settings.withinMs);
  const trips = [...others, { at: now, run, principal }].slice(-TRIPS);
  const next = { ...state, trips };
  // Runs count one each, so three principals are three runs at least.
  if (trips.length < settings.most) return { state: next, findings: [] };
  const finding = makeFinding({
    detector: "trips",
    reaction: settings.over,
    mode: settings.mode,
    key: "trips",
    tool: "",
    count: trips.length,
    limit: settings.most,
    calls: [],
    observed: `${trips.length} runs of this agent were stopped within ${settings.withinMs / 60_000} minutes.`,
    allowed: "",
  });
  return { state: next, findings: [finding] };
}

function withRate(tools: AgentHistory["tools"], rate: ToolRate): AgentHistory["tools"] {
  const at = tools.findIndex(([tool]) => tool === rate[0]);
  if (at >= 0) return tools.with(at, rate);
  const all = [...tools, rate];
  if (all.length <= TOOLS) return all;
  const latest = ([, slices]: ToolRate) => slices.at(-1)?.[0] ?? 0;
  return all.toSorted((one, other) => latest(one) - latest(other)).slice(TOOLS / 8);
}

/** What is left of a window that ends now. */
function inWindow(slices: readonly RateSlice[], now: number, withinMs: number): readonly RateSlice[] {
  return slices.filter(([start]) => start > now - withinMs);
}

function total(slices: readonly RateSlice[]): number {
  return slices.reduce((sum, [, calls]) => sum + calls, 0);
}

function counted(slices: readonly RateSlice[], more: number, now: number, withinMs: number): readonly RateSlice[] {
  const width = Math.max(1, Math.ceil(withinMs / SLICES));
  const start = Math.floor(now / width) * width;
  const last = slices.at(-1);
  if (last?.[0] === start) return [...slices.slice(0, -1), [start, last[1] + more]];
  return [...slices, [start, more] as const].slice(-SLICES - 1);
}

/** As they were kept before; and before that each call by its time. */
export type EarlierSlice = { readonly start: number; readonly calls: number };

export function fromEarlierSlices(earlier: readonly (EarlierSlice | number)[]): readonly RateSlice[] {
  return earlier.map((slice) => (typeof slice === "number" ? [slice, 1] : [slice.start, slice.calls]));
}
