/** Entries → the tree of a run, in time that grows with their number. */
import type { StoredEntry } from "../log/entry.ts";
import type { ErasureNote } from "../log/erasure.ts";
import { agentNamesIn, agentOf } from "./agents.ts";
import { type CallFacts, callFacts } from "./call-step.ts";
import { contentAt, type RecordedEntry, readEntry, shownValue, textsOf } from "./content.ts";
import { type ModelFacts, modelFacts, type PromptReader, promptReader } from "./model-step.ts";
import { totalsOf } from "./totals.ts";
import type { EventStep, ModelStep, RunTree, ToolStep, TreeStep } from "./tree.ts";

/**
 * A run from its log entries alone; nothing that a table says is asked.
 *
 * @param entries Those of the run, in the order of the log. Others are left out.
 * @param nested Trees of runs that were started within this one (`around` of theirs names it).
 * @param erasures What took content out of an entry, by its position, as far as it is known.
 * @throws SafeRunError `log.malformed` for an entry whose header is none.
 */
export function runTree(
  run: string,
  entries: readonly StoredEntry[],
  nested: readonly RunTree[] = [],
  erasures: ReadonlyMap<number, ErasureNote> = new Map(),
): RunTree {
  const read = entries
    .map((entry) => readEntry(entry, erasures.get(entry.seq)))
    .filter(({ header }) => header.run?.id === run);
  const prompts = promptReader();
  for (const entry of read) prompts.see(entry);
  const items = itemsOf(read);
  const names = agentNamesIn(read);
  const placed = stepsOf(items, prompts, nested, names);
  const [first] = read;
  const start = read.find(({ header }) => header.type === "run.started");
  const context = start?.part("context") ?? null;
  const runs = nested.filter(({ within }) => within === null || !placed.calls.has(within));
  return {
    run,
    agent: agentOf(start === undefined ? [] : [start], names) ?? agentOf(read, names),
    environment: start?.header.environment ?? null,
    principal: contentAt(context, "principal"),
    context: start?.part("stated") ?? contentAt(context, "context"),
    prompt: start?.part("user-prompt") ?? null,
    within: start?.header.within ?? null,
    around: textsOf(shownValue(contentAt(context, "around"))) ?? [],
    startedAt: first?.header.time ?? 0,
    lastAt: read.at(-1)?.header.time ?? 0,
    entries: read.length,
    gaps: gapsOf(read),
    contents: prompts.contents,
    steps: placed.steps,
    runs,
    totals: totalsOf(placed.steps, runs),
  };
}

/** A run's entries carry its own gapless numbers: what was left out shows. */
function gapsOf(entries: readonly RecordedEntry[]): RunTree["gaps"] {
  const gaps: { from: number; to: number }[] = [];
  let next = 0;
  for (const { header } of entries) {
    const number = header.run?.n ?? next;
    if (number > next) gaps.push({ from: next, to: number - 1 });
    next = number + 1;
  }
  return gaps;
}

/** Entries that belong to one step. */
interface Item {
  readonly kind: TreeStep["kind"];
  readonly id: string;
  readonly entries: RecordedEntry[];
}

function itemsOf(entries: readonly RecordedEntry[]): readonly Item[] {
  const items: Item[] = [];
  const known = new Map<string, Item>();
  const open: Item[] = [];
  const add = (kind: Item["kind"], id: string, entry: RecordedEntry): Item => {
    const item = { kind, id, entries: [entry] };
    items.push(item);
    return item;
  };
  for (const [index, entry] of entries.entries()) {
    const { type, call, model } = entry.header;
    if (call !== undefined) {
      const item = known.get(call);
      if (item === undefined) known.set(call, add("call", call, entry));
      else item.entries.push(entry);
    } else if (type === "model.requested" || type === "model.refused") {
      const item = add("model", model ?? "", entry);
      if (model !== undefined) known.set(model, item);
      else if (type === "model.requested") open.push(item);
    } else if (type === "model.messages") {
      // Part of the question behind it, which names what it holds.
    } else if (type.startsWith("model.")) {
      const item = model === undefined ? takeAsked(open, entry) : known.get(model);
      if (item === undefined) add("event", `${index}`, entry);
      else item.entries.push(entry);
    } else if (type !== "run.started" || index > 0) add("event", `${index}`, entry);
  }
  return items;
}

/** In logs from before questions had names: the last one of the same agent and turn that has no answer. */
function takeAsked(open: Item[], { header }: RecordedEntry): Item | undefined {
  const index = open.findLastIndex(({ entries: [asked] }) => {
    const lost = header.agent === undefined;
    return lost || (asked?.header.agent === header.agent && asked?.header.step === header.step);
  });
  return index === -1 ? undefined : open.splice(index, 1)[0];
}

interface Placed {
  readonly steps: readonly TreeStep[];
  readonly calls: ReadonlySet<string>;
}

function stepsOf(
  items: readonly Item[],
  prompts: PromptReader,
  nested: readonly RunTree[],
  names: ReadonlyMap<string, string>,
): Placed {
  const calls = new Set<string>();
  const inner = new Map<string, Item[]>();
  const top: Item[] = [];
  for (const item of items) {
    const within = item.entries[0]?.header.within;
    // Only a call that began before can hold it: no circle of calls, whatever a log says.
    (within !== undefined && calls.has(within) ? group(inner, within) : top).push(item);
    if (item.kind === "call") calls.add(item.id);
  }
  const runs = new Map<string, RunTree[]>();
  for (const run of nested) if (run.within !== null) group(runs, run.within).push(run);
  const numbers = new Map<string, number>();
  let next = 1;
  const made = (item: Item): TreeStep => {
    const number = next++;
    const [first] = item.entries;
    const place = {
      number,
      seq: first?.seq ?? 0,
      at: first?.header.time ?? 0,
      agent: agentOf(item.entries, names),
      turn: first?.header.step ?? null,
      within: first?.header.within ?? null,
      events: item.entries.map(({ seq, header: { time, type } }) => ({ seq, at: time, type })),
    };
    switch (item.kind) {
      case "call": {
        const facts: CallFacts = callFacts(item.id, item.entries);
        const steps = (inner.get(item.id) ?? []).map(made);
        const of = { kind: "call", ...place, ...facts, steps, runs: runs.get(item.id) ?? [] } as const;
        return { ...of, totals: totalsOf([of]) } satisfies ToolStep;
      }
      case "model": {
        const facts: ModelFacts = modelFacts(item.entries);
        const prompt = first === undefined ? null : prompts.promptOf(first, numbers);
        const commitment = first?.header.parts?.prompt;
        if (commitment !== undefined) numbers.set(commitment, number);
        return { kind: "model", ...place, ...facts, prompt } satisfies ModelStep;
      }
      case "event": {
        const parts = (first?.names ?? []).flatMap((name) => {
          const content = first?.part(name) ?? null;
          return content === null ? [] : [{ name, content }];
        });
        return { kind: "event", ...place, type: first?.header.type ?? "run.started", parts } satisfies EventStep;
      }
    }
  };
  return { steps: top.map(made), calls };
}

function group<Value>(groups: Map<string, Value[]>, name: string): Value[] {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const made: Value[] = [];
  groups.set(name, made);
  return made;
}

/** Every step of the run, in the order of their numbers; nested runs have numbers of their own. */
export function allSteps(steps: readonly TreeStep[]): readonly TreeStep[] {
  const all: TreeStep[] = [];
  const add = (step: TreeStep): void => {
    all.push(step);
    if (step.kind === "call") for (const inner of step.steps) add(inner);
  };
  for (const step of steps) add(step);
  return all;
}
