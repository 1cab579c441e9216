/** Detectors of what a run does rather than what it learns: denials, business acts done twice, caps. */

import type { LoopSettings, Reaction } from "../../detectors.ts";
import { isEffectful } from "../../traits.ts";
import { formatDecimal } from "../../value/decimal.ts";
import { type Act, actIn, actKey } from "./acts.ts";
import { type Finding, makeFinding, named } from "./finding.ts";
import type { CallKeys } from "./fingerprint.ts";
import type { RunHistory } from "./history.ts";

/** Many refusals in a short time, or one rule tried over and over: what an injected instruction looks like. */
export function denials(
  history: RunHistory,
  tool: string,
  settings: LoopSettings["denials"],
  now: number,
): Finding | undefined {
  const lately = history.denials.filter((denial) => denial.at > now - settings.withinMs);
  const byRule = new Map<string, number>();
  for (const rule of history.denials.flatMap((denial) => denial.rules.filter(isRule))) {
    byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
  }
  const [rule, most] = [...byRule].reduce((one, other) => (other[1] > one[1] ? other : one), ["", 0]);
  const stubborn = most >= settings.sameRule;
  if (lately.length < settings.most && !stubborn) return undefined;
  const found = {
    detector: "denials",
    reaction: settings.over,
    mode: settings.mode,
    tool,
    calls: [],
    allowed: "",
  } as const;
  return stubborn
    ? makeFinding({
        ...found,
        key: `denials:rule:${rule}`,
        count: most,
        limit: settings.sameRule,
        observed: `The rule \`${rule}\` denied ${most} calls of this run.`,
      })
    : makeFinding({
        ...found,
        key: "denials:many",
        count: lately.length,
        limit: settings.most,
        observed: `${lately.length} calls of this run were denied within ${settings.withinMs / 1_000} seconds.`,
      });
}

/** Somebody wrote it down. That no rule matched, or that arguments do not fit, says less: only their number counts. */
function isRule(id: string): boolean {
  return !id.includes(":") || id.startsWith("budget:");
}

/** The business act was done before, or is under way: in this run, or (`earlier`) lately by this agent. */
export function duplicate(
  history: RunHistory,
  keys: CallKeys,
  settings: LoopSettings["duplicate"],
  earlier: Act | null,
): Finding | undefined {
  const { identityKey } = keys;
  // Without declared identity arguments nobody said which calls are the same act.
  if (identityKey === null || !isEffectful(keys.kind)) return undefined;
  const done = actIn(history.acts, actKey(keys)) ?? earlier;
  const flying = history.open.filter((call) => call.keys.identityKey === identityKey);
  const calls = [...(done ? [done.callId] : []), ...flying.map((call) => call.callId)];
  const [first] = calls;
  if (first === undefined) return undefined;
  const how = done?.outcome === "unknown" ? "may have been done" : done ? "was done" : "is under way";
  return makeFinding({
    detector: "duplicate",
    reaction: settings.over,
    mode: settings.mode,
    // Approving it covers this earlier call: the next time there is another.
    key: `duplicate:${identityKey}:${first}`,
    tool: keys.tool,
    count: calls.length,
    limit: 1,
    calls,
    observed: `The same act of ${named(keys.tool)} ${how} by call ${first}.`,
    allowed: "Still allowed: the same tool for another act, or an answer to the person that tells of the earlier call.",
  });
}

export interface Spending {
  /** Depth of sub-agents: 0 for the root run. */
  readonly depth: number;
  /** Millionths of a dollar spent and held by this run so far; null where nothing counts them. */
  readonly usdMicros: bigint | null;
}

/** What a run may use up. At 80 % a person is asked once, at 100 % the run is stopped. */
export function caps(
  history: RunHistory,
  tool: string,
  settings: LoopSettings["caps"],
  spending: Spending,
  now: number,
): readonly Finding[] {
  // A clock that goes back gives no time.
  const minutes = Math.floor(Math.max(0, now - history.startedAt) / 60_000);
  const found: Finding[] = [];
  const add = (name: string, used: number | bigint, cap: number | bigint, what: string): void => {
    const trips = used >= cap;
    found.push(
      makeFinding({
        detector: "caps",
        reaction: trips ? "trip_run" : settings.over,
        mode: settings.mode,
        key: `caps:${name}`,
        tool,
        count: Number(used),
        limit: Number(cap),
        calls: [],
        observed: `This run has used ${used} of ${cap} ${what}.`,
        allowed: "Still allowed: an answer to the person that sums up what was done.",
      }),
    );
  };
  const { calls, minutes: long, usdMicros, depth } = settings;
  if (calls !== null && history.calls * 5 >= calls * 4) add("calls", history.calls, calls, "calls");
  if (long !== null && minutes * 5 >= long * 4) add("minutes", minutes, long, "minutes");
  if (spending.usdMicros !== null && usdMicros !== null && spending.usdMicros * 5n >= usdMicros * 4n) {
    add("usd", spending.usdMicros, usdMicros, "millionths of a dollar");
  }
  if (depth !== null && spending.depth > depth) add("depth", spending.depth, depth, "levels of sub-agents");
  return found;
}

/** A run that has spent its cap on models is stopped at its next call of one. */
export function spentUp(settings: LoopSettings["caps"], spent: bigint): Finding | undefined {
  const { usdMicros: cap } = settings;
  if (cap === null || spent < cap) return undefined;
  return ofSpending(settings, "trip_run", `This run has spent ${dollars(spent)} of ${dollars(cap)} dollars on models.`);
}

/** A cap that a file names is never overspent: a call that may go beyond it, or of which nobody knows, is refused. */
export function noRoom(
  settings: LoopSettings["caps"],
  { held, spent }: { readonly held: bigint; readonly spent: bigint },
  wanted: bigint | null,
): Finding | undefined {
  const { usdMicros: cap, usdHeld } = settings;
  if (cap === null || !usdHeld) return undefined;
  if (wanted === null) return ofSpending(settings, "deny", UNPRICED);
  if (held + spent + wanted <= cap) return undefined;
  const used = `${dollars(spent)} spent and ${dollars(held)} held of ${dollars(cap)} dollars for models`;
  return ofSpending(settings, "deny", `This call may cost ${dollars(wanted)} dollars, with ${used}.`);
}

const UNPRICED =
  "What this call of a model costs at most is not known: its price (`prices`) or its longest answer (`maxOutputTokens`) is missing.";

function ofSpending({ mode, usdMicros }: LoopSettings["caps"], reaction: Reaction, observed: string): Finding {
  const of = { detector: "caps", key: "caps:usd", tool: "", count: 1, limit: Number(usdMicros), calls: [] } as const;
  return makeFinding({ ...of, mode, reaction, observed, allowed: "" });
}

function dollars(micros: bigint): string {
  return formatDecimal(micros, 6);
}
