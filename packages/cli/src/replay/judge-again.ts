/** `saferun replay RUN --policies …`: the recorded calls through the gate under other policies, in memory. */
import { isChanged, type JsonObject, RecordedClock, toWire, type WhatIf, type WhatIfCall, whatIf } from "@saferun/core";
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

export interface JudgedAgain {
  readonly revision: string;
  readonly against: string | null;
  readonly judged: number;
  readonly changes: readonly ChangedCall[];
  readonly notReproducible: WhatIf["missing"];
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
  const numbers = new Map<number, number>();
  const walk = (steps: typeof tree.steps): void => {
    for (const step of steps) {
      numbers.set(step.seq, step.number);
      if (step.kind === "call") walk(step.steps);
    }
  };
  walk(tree.steps);
  const changes = judged
    .map((call) => ({
      ...call,
      before: before.get(`${call.kind} ${call.id}`) ?? call.before,
      step: numbers.get(call.seq) ?? null,
    }))
    .filter(isChanged);
  return { revision, against: other?.revision ?? null, judged: judged.length, changes, notReproducible: missing };
}

export function judgedAgainJson(result: JudgedAgain): object {
  return { ...toWire(result), changed: result.changes.length };
}

export function judgedAgainLines(result: JudgedAgain, style: Style): string[] {
  const { changes, notReproducible, judged } = result;
  const from = result.against === null ? "what was recorded" : `revision ${result.against.slice(0, 12)}`;
  return [
    ...changes.flatMap((change) => changeLines(change, style)),
    ...notReproducible.map(({ tool, why }) => `${style.wait("not reproducible")}  ${short(tool, 64)}: ${WHY[why]}`),
    `${changes.length} of ${judged} decisions ${changes.length === 1 ? "is" : "are"} other than ${from}`,
    style.dim("budgets and detectors begin empty here: what other runs had spent or done before is not counted"),
  ];
}

const WHY: Readonly<Record<WhatIf["missing"][number]["why"], string>> = {
  malformed: "it was no call, which no policy is asked about",
  erased: "its content was taken out of the log",
  sealed: "its content is sealed, and the key is not beside the store",
  masked: "the record masks something of what was judged",
  incomplete: "its proposal is not among the entries",
};

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
