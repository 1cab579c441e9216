/** `saferun replay RUN --policies …`: the recorded calls through the gate under other policies, in memory. */
import {
  allSteps,
  isChanged,
  type JsonObject,
  NOT_REPRODUCIBLE,
  RecordedClock,
  toWire,
  type WhatIf,
  type WhatIfCall,
  whatIf,
} from "@saferun/core";
import { intlZones } from "@saferun/document";
import { createMemoryStore, nodeHash, nodeRandom } from "@saferun/store";
import { printable, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import type { loadUsablePolicies } from "../policy-files.ts";
import type { LoadedRun } from "./load.ts";

type Policies = Awaited<ReturnType<typeof loadUsablePolicies>>["policies"];

/** A call that comes out otherwise; `step` is its number in the run, null where it stands in none. */
export interface ChangedCall extends WhatIfCall {
  readonly step: number | null;
}

/** A decision that cannot be made again. */
export type NotJudged = WhatIf["missing"][number] & Pick<ChangedCall, "step">;

export interface JudgedAgain {
  readonly revision: string;
  readonly against: string | null;
  readonly judged: number;
  readonly changes: readonly ChangedCall[];
  readonly notReproducible: readonly NotJudged[];
}

/** @param replaced Calls with other arguments than recorded; only the new side gets them. */
export async function judgeAgain(
  { summary, entries, tree }: LoadedRun,
  policies: Policies,
  against: Policies | undefined,
  replaced: ReadonlyMap<string, JsonObject> = new Map(),
): Promise<JudgedAgain> {
  const under = (set: Policies, other: ReadonlyMap<string, JsonObject>): Promise<WhatIf> => {
    const clock = new RecordedClock();
    const ports = { clock, store: createMemoryStore({ clock }), hash: nodeHash, random: nodeRandom, zones: intlZones };
    return whatIf(summary.id, entries, { ...ports, policies: set }, other);
  };
  const { revision, judged, missing } = await under(policies, replaced);
  const other = against === undefined ? undefined : await under(against, new Map());
  const before = new Map(other?.judged.map(({ kind, id, after }) => [`${kind} ${id}`, after]));
  const steps = allSteps(tree.steps);
  const calls = new Map(steps.flatMap((step) => (step.kind === "call" ? [[step.call, step.number] as const] : [])));
  const numbers = new Map(steps.map(({ seq, number }) => [seq, number]));
  const changes = judged
    .map((call) => ({
      ...call,
      before: before.get(`${call.kind} ${call.id}`) ?? call.before,
      step: numbers.get(call.seq) ?? null,
    }))
    .filter(isChanged);
  const notReproducible = missing.map((one) => ({ ...one, step: calls.get(one.call) ?? null }));
  return { revision, against: other?.revision ?? null, judged: judged.length, changes, notReproducible };
}

export function judgedAgainJson(result: JudgedAgain): object {
  return { ...toWire(result), changed: result.changes.length };
}

export function judgedAgainLines(result: JudgedAgain, style: Style): string[] {
  const { changes, notReproducible, judged } = result;
  const from = result.against === null ? "what was recorded" : `revision ${result.against.slice(0, 12)}`;
  return [
    ...changes.flatMap((change) => changeLines(change, style)),
    ...notReproducible.flatMap(({ step, tool, why }) => [
      `${style.dim(`step ${step ?? "?"}`)}  ${style.bold(short(tool, 64))}  ${style.wait("not reproducible")}: ${NOT_REPRODUCIBLE[why].why}`,
      style.dim(`  ${NOT_REPRODUCIBLE[why].instead}`),
    ]),
    `${changes.length} of ${judged} decisions ${changes.length === 1 ? "is" : "are"} other than ${from}${notReproducible.length === 0 ? "" : `; ${notReproducible.length} could not be judged again`}`,
    style.dim("budgets and detectors begin empty here: what other runs had spent or done before is not counted"),
  ];
}

function changeLines({ step, tool, before, after }: ChangedCall, style: Style): string[] {
  const side = ({ verdict, by, ran }: ChangedCall["before"]) =>
    `${tone(style, verdict)}${style.dim(` (${by.length === 0 ? "no rule" : short(by.join(", "), 120)})`)}${ran ? ", ran" : ", did not run"}`;
  return [
    `${style.dim(`step ${step ?? "?"}`)}  ${style.bold(short(tool, 64))}  ${side(before)} → ${side(after)}`,
    ...(after.reason === null ? [] : [`  ${printable(after.reason)}`]),
    ...after.rules
      .filter(({ verdict }) => verdict === after.verdict)
      .map(({ rule, file, line, column }) =>
        style.dim(`  ${printable(rule)} is at ${printable(file ?? "?")}:${line}:${column}`),
      ),
    ...(after.changed === null || after.changed === before.changed
      ? []
      : [`  it would run with ${printable(after.changed)}`]),
  ];
}
