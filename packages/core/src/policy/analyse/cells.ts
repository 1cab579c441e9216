/**
 * The calls worth asking about: for each argument one value of every class that some condition tells apart. Within such a
 * cell no condition changes its outcome, so that one call speaks for all of them.
 */
import type { Json } from "../../value/json.ts";
import { childrenOf, type Expr } from "../cel/ast.ts";
import type { RuleModel } from "../model.ts";
import { type Atom, atomOf, type Constants } from "./atom.ts";
import { type Candidate, Candidates, hint } from "./candidates.ts";
import { has, type ValueSet } from "./value-set.ts";

/** A place of a call and what stands there; undefined is "left out". */
export interface Assignment {
  readonly path: readonly string[];
  readonly value: Candidate;
}

export interface Dimension {
  readonly path: readonly string[];
  readonly values: readonly Candidate[];
}

export interface Cells {
  readonly dimensions: readonly Dimension[];
  /** Agents that conditions name. */
  readonly agents: readonly string[];
  /** Why the cells may miss a difference; empty where they cannot. */
  readonly gaps: readonly string[];
}

/** Set by who calls, not by arguments: chosen apart. */
const SETTING: ReadonlySet<string> = new Set(["env", "agent", "tool"]);
/** A list or text of more items than this is not made up. */
const MOST_ITEMS = 200;

interface Seen {
  readonly path: readonly string[];
  readonly atoms: Atom[];
}

/** The cells of the conditions of several rules, which may come from two policy sets with constants of their own. `bound` are expressions that set arguments. */
export function cellsOf(
  sides: readonly { readonly rules: readonly RuleModel[]; readonly constants: Constants }[],
  bound: readonly Expr[] = [],
): Cells {
  const seen = new Map<string, Seen>();
  const guesses = new Candidates();
  const gaps = new Set<string>();
  const agents = new Set<string>();
  for (const { rules, constants } of sides) {
    for (const { condition } of rules) {
      if (condition === null) continue;
      if (condition.opaque !== undefined) gaps.add("a condition is a function");
      else
        for (const atom of atomsIn(condition.expr, constants)) note(atom, constants, { seen, guesses, gaps, agents });
    }
  }
  for (const expr of bound) hint(expr, guesses, new Map());
  const dimensions = new Map<string, Dimension>();
  for (const [key, { path, atoms }] of seen) {
    const guessed = guesses.all().find((one) => one.path.join("\u0001") === key)?.values ?? [];
    dimensions.set(key, { path, values: classes([...boundaries(atoms), ...guessed], atoms, guessed.length > 0) });
  }
  for (const { path, values } of guesses.all()) {
    if ((path[0] === "args" || path[0] === "context") && !dimensions.has(path.join("\u0001")))
      dimensions.set(path.join("\u0001"), { path, values });
  }
  const sizes = [...seen.values()].filter(({ atoms }) => atoms.some(({ place }) => place.kind === "size"));
  for (const { path } of [...dimensions.values()]) {
    if (sizes.some((one) => isBelow(path, one.path))) gaps.add("a condition asks for the size of a map");
    addParent(path, dimensions);
  }
  return { dimensions: [...dimensions.values()], agents: [...agents], gaps: [...gaps] };
}

/** Said of a tool of which not every cell was asked about. */
export const TOO_MANY = "there are more cases than are asked about";

/** One call of each cell, `most` of them; where there are more, each value of each place stands in one besides. */
export function calls(dimensions: readonly Dimension[], most: number) {
  const total = dimensions.reduce((count, { values }) => count * values.length, 1);
  const complete = total <= most;
  function* all(): Iterable<readonly Assignment[]> {
    for (let index = 0; index < Math.min(total, most); index++) yield cellAt(dimensions, index);
    if (!complete) yield* alongEachAxis(dimensions);
  }
  return { complete, all };
}

function cellAt(dimensions: readonly Dimension[], index: number): readonly Assignment[] {
  let rest = index;
  return dimensions.map(({ path, values }) => {
    const value = values[rest % values.length];
    rest = Math.floor(rest / values.length);
    return { path, value };
  });
}

/** Each value of each place, everything else as plain as it gets. */
function* alongEachAxis(dimensions: readonly Dimension[]): Iterable<readonly Assignment[]> {
  const plain = cellAt(dimensions, 0);
  for (const [axis, { path, values }] of dimensions.entries()) {
    for (const value of values) yield plain.with(axis, { path, value });
  }
}

function atomsIn(expr: Expr, constants: Constants): readonly Atom[] {
  if (expr.kind === "and" || expr.kind === "or" || expr.kind === "not" || expr.kind === "conditional") {
    return childrenOf(expr).flatMap((child) => atomsIn(child, constants));
  }
  return [atomOf(expr, constants)];
}

interface Notes {
  readonly seen: Map<string, Seen>;
  readonly guesses: Candidates;
  readonly gaps: Set<string>;
  readonly agents: Set<string>;
}

function note(atom: Atom, constants: Constants, { seen, guesses, gaps, agents }: Notes): void {
  const { place } = atom;
  const [root = "", field] = place.path;
  if (place.kind === "opaque") {
    if (place.expr.kind === "literal") return;
    gaps.add("a condition does more than compare arguments with constants");
    hint(place.expr, guesses, constants);
    return;
  }
  if (root === "agent") for (const name of atom.whenTrue.texts.values) agents.add(name);
  if (SETTING.has(root)) return;
  if (root !== "args" && root !== "context" && !(root === "principal" && field === "id")) {
    gaps.add(`a condition reads \`${place.path.join(".")}\``);
    return;
  }
  const key = place.path.join("\u0001");
  const known = seen.get(key);
  if (known === undefined) seen.set(key, { path: place.path, atoms: [atom] });
  else known.atoms.push(atom);
}

/** Every value at which some atom may change its outcome, what lies between and beyond them, and one of every other kind. */
function boundaries(atoms: readonly Atom[]): readonly Candidate[] {
  const points = new Set<number>();
  const words = new Set<string>();
  const sizes = new Set<number>();
  for (const { place, whenTrue, whenFalse } of atoms) {
    for (const set of [whenTrue, whenFalse]) {
      for (const text of set.texts.values) words.add(text);
      for (const end of endsOf(set)) (place.kind === "size" ? sizes : points).add(end);
    }
  }
  const lengths = between([...sizes]).filter((size) => Number.isInteger(size) && size >= 0 && size <= MOST_ITEMS);
  return [
    ...between([...points]),
    ...words,
    ...lengths.map((size) => Array.from({ length: size }, () => "x")),
    ...lengths.map((size) => "x".repeat(size)),
    ...["x", "other", "another"].filter((text) => !words.has(text)).slice(0, 1),
    1,
    true,
    false,
    [],
    {},
    null,
    undefined,
  ];
}

function endsOf(set: ValueSet): readonly number[] {
  return set.numbers.flatMap(({ low, high }) => [low, high]).filter(Number.isFinite);
}

function between(points: readonly number[]): readonly number[] {
  const sorted = points.toSorted((a, b) => a - b);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return [];
  const middles = sorted.slice(1).map((point, index) => middle(sorted[index] ?? point, point));
  return [...sorted, ...middles, last + 1, first - 1];
}

/** A whole number where there is one. */
function middle(low: number, high: number): number {
  const whole = Math.floor(low) + 1;
  return whole > low && whole < high ? whole : (low + high) / 2;
}

/** One value of each class that the atoms tell apart; with guesses, which they do not, every one of those as well. */
function classes(values: readonly Candidate[], atoms: readonly Atom[], all: boolean): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const value of values) {
    const signature = atoms.map((atom) => outcome(atom, value)).join("");
    const key = all ? `${signature} ${JSON.stringify(value) ?? "absent"}` : signature;
    if (!found.has(key)) found.set(key, value);
  }
  return [...found.values()];
}

function outcome({ place, whenTrue, whenFalse }: Atom, value: Candidate): string {
  const seen = place.kind === "size" ? sizeOf(value) : value;
  if (place.kind === "size" && seen === undefined) return "E";
  if (has(whenTrue, seen)) return "T";
  return has(whenFalse, seen) ? "F" : "E";
}

function sizeOf(value: Candidate): number | undefined {
  if (typeof value === "string") return Array.from(value).length;
  if (typeof value !== "object" || value === null) return undefined;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function isBelow(path: readonly string[], above: readonly string[]): boolean {
  return path.length > above.length && above.every((field, index) => field === path[index]);
}

/** A field may be absent from a map, or the map itself may be. */
function addParent(path: readonly string[], dimensions: Map<string, Dimension>): void {
  const parent = path.slice(0, -1);
  if (parent.length < 2 || dimensions.has(parent.join("\u0001"))) return;
  const empty: Json = {};
  dimensions.set(parent.join("\u0001"), { path: parent, values: [undefined, empty] });
  addParent(parent, dimensions);
}
