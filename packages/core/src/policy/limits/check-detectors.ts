/** `breakers:` at load: entries for some calls each, of which the narrowest that sets a detector wins. */

import { type DetectorName, LOOP_DEFAULTS, type LoopSettings } from "../../detectors.ts";
import { parseDecimal } from "../../value/decimal.ts";
import { scaleOf } from "../../value/unit.ts";
import type { ScopeChecker } from "../check-scope.ts";
import { globsMeet } from "../glob.ts";
import { type Issues, quote } from "../issue.ts";
import type { PolicyDocument } from "../model.ts";
import { type BreakersSource, DETECTOR_FIELDS } from "./format.ts";
import type { DetectorEntry } from "./model.ts";
import { narrowness } from "./narrowness.ts";

export function checkDetectors(
  documents: readonly PolicyDocument[],
  scopes: ScopeChecker,
  issues: Issues,
): readonly DetectorEntry[] {
  const entries = documents.flatMap(({ source }) => (source.breakers ?? []).map((one) => entryOf(one, scopes, issues)));
  entries.forEach((entry, at) => {
    for (const before of entries.slice(0, at)) checkPair(before, entry, issues);
  });
  return entries;
}

function entryOf(source: BreakersSource, scopes: ScopeChecker, issues: Issues): DetectorEntry {
  const { tools, agents, environments } = scopes.check(source, {});
  const settings = settingsOf(source);
  const names = Object.keys(settings) as DetectorName[];
  if (names.length === 0) {
    const known = Object.keys(DETECTOR_FIELDS).map(quote).join(", ");
    issues.error("empty", source.span, `the entry sets no detector; there are ${known}`);
  }
  for (const name of names) {
    if (tools === null || !OF_RUNS.has(name)) continue;
    issues.error("bad-value", source.span, `${quote(name)} is about all tools of a run or an agent; take out \`tool\``);
  }
  checkReach({ ...LOOP_DEFAULTS, ...settings }, source, issues);
  return { span: source.span, scope: { tools, agents, environments }, settings };
}

/** Detectors whose counts are not of one tool: settings that change from tool to tool would never come true. */
const OF_RUNS: ReadonlySet<DetectorName> = new Set<DetectorName>(["denials", "novelty", "caps", "trips"]);

/** What is not said stays as it is by default, whatever wider entries say. */
function settingsOf(source: BreakersSource): Partial<LoopSettings> {
  const { repeat, cycle, similar, errors, varied, raw, denials, rate, novelty, duplicate, caps, trips } = source;
  return {
    ...(repeat === undefined ? {} : { repeat: { ...LOOP_DEFAULTS.repeat, ...plain(repeat) } }),
    ...(cycle === undefined ? {} : { cycle: { ...LOOP_DEFAULTS.cycle, ...plain(cycle) } }),
    ...(similar === undefined ? {} : { similar: { ...LOOP_DEFAULTS.similar, ...plain(similar) } }),
    ...(errors === undefined ? {} : { errors: { ...LOOP_DEFAULTS.errors, ...plain(errors) } }),
    ...(varied === undefined ? {} : { varied: { ...LOOP_DEFAULTS.varied, ...plain(varied) } }),
    ...(raw === undefined ? {} : { raw: { ...LOOP_DEFAULTS.raw, ...plain(raw) } }),
    ...(denials === undefined ? {} : { denials: denialsOf(denials) }),
    ...(rate === undefined ? {} : { rate: { ...LOOP_DEFAULTS.rate, ...timed(rate) } }),
    ...(novelty === undefined ? {} : { novelty: { ...LOOP_DEFAULTS.novelty, ...timed(novelty) } }),
    ...(duplicate === undefined ? {} : { duplicate: { ...LOOP_DEFAULTS.duplicate, ...plain(duplicate) } }),
    ...(caps === undefined ? {} : { caps: capsOf(caps) }),
    ...(trips === undefined ? {} : { trips: { ...LOOP_DEFAULTS.trips, ...timed(trips) } }),
  };
}

function plain<Fields extends { readonly span: unknown }>({ span: _span, ...fields }: Fields): Omit<Fields, "span"> {
  return fields;
}

function timed<Fields extends { readonly span: unknown; readonly within?: number }>(source: Fields) {
  const { span: _span, within, ...fields } = source;
  return within === undefined ? fields : { ...fields, withinMs: within };
}

function denialsOf(source: NonNullable<BreakersSource["denials"]>): LoopSettings["denials"] {
  const { same_rule: sameRule, ...fields } = timed(source);
  return { ...LOOP_DEFAULTS.denials, ...fields, ...(sameRule === undefined ? {} : { sameRule }) };
}

function capsOf(source: NonNullable<BreakersSource["caps"]>): LoopSettings["caps"] {
  const { usd, ...fields } = plain(source);
  const usdMicros = usd === undefined ? undefined : parseDecimal(usd, scaleOf("usd"));
  return { ...LOOP_DEFAULTS.caps, ...fields, ...(usdMicros === undefined ? {} : { usdMicros, usdHeld: true }) };
}

/** A detector that looks at less than it needs would never fire, and nobody would notice. */
function checkReach(settings: LoopSettings, { span }: BreakersSource, issues: Issues): void {
  const { repeat, cycle, errors, varied } = settings;
  const refuse = (message: string): void => issues.error("bad-value", span, message);
  if (Math.max(repeat.same, repeat.writes) > repeat.last) {
    refuse("`repeat` looks for more calls than the `last` that it looks at; make `last` larger");
  }
  if (cycle.longest * cycle.rounds > REMEMBERED) {
    refuse(`\`cycle\` needs \`longest\` × \`rounds\` calls, and a run remembers ${REMEMBERED}; make one smaller`);
  }
  if (errors.trip < errors.streak) refuse("`errors` stops the run before it reacts; make `trip` at least `streak`");
  if (varied.questions > varied.last) {
    refuse("`varied` looks for more calls than the `last` that it looks at; make `last` larger");
  }
}

/** Calls that a run remembers. */
const REMEMBERED = 32;

function checkPair(a: DetectorEntry, b: DetectorEntry, issues: Issues): void {
  const twice = Object.keys(b.settings).filter((name) => Object.hasOwn(a.settings, name));
  if (twice.length === 0 || narrowness(a.scope) !== narrowness(b.scope) || !scopesMeet(a, b)) return;
  const { file, line, column } = a.span;
  const names = twice.map(quote).join(", ");
  const message = `${names} is set for the same calls at ${file}:${line}:${column}, and neither entry is narrower; keep one`;
  issues.error("conflict", b.span, message);
}

function scopesMeet({ scope: a }: DetectorEntry, { scope: b }: DetectorEntry): boolean {
  return meet(a.tools, b.tools) && meet(a.agents, b.agents) && meet(a.environments, b.environments);
}

function meet(a: readonly string[] | null, b: readonly string[] | null): boolean {
  return a === null || b === null || a.some((one) => b.some((other) => globsMeet(one, other)));
}
