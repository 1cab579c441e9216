/**
 * Values worth trying at a place. Guesses, in a good order: whether a call shows what it is meant to show is decided by
 * evaluating it.
 */
import type { Json } from "../../value/json.ts";
import { type Call, childrenOf, type Expr, type Macro } from "../cel/ast.ts";
import { type Constants, constantValue, plainPath } from "./atom.ts";
import { sampleOf } from "./sample.ts";
import {
  ABSENT,
  FALSE,
  has,
  type Interval,
  interval,
  LIST,
  MAP,
  NO_PARENT,
  NULL,
  TRUE,
  type ValueSet,
} from "./value-set.ts";

/** Undefined stands for "leave it out". */
export type Candidate = Json | undefined;

/** Candidates by path. */
export class Candidates {
  readonly #values = new Map<string, { readonly path: readonly string[]; readonly values: Candidate[] }>();

  add(path: readonly string[], values: readonly Candidate[]): void {
    const key = path.join("\u0001");
    const known = this.#values.get(key);
    if (known === undefined) this.#values.set(key, { path, values: [...values] });
    else known.values.push(...values);
  }

  /** Each path once, no value twice. */
  all(): readonly { readonly path: readonly string[]; readonly values: readonly Candidate[] }[] {
    return [...this.#values.values()].map(({ path, values }) => {
      const seen = new Map(values.map((value) => [JSON.stringify(value) ?? "absent", value]));
      return { path, values: [...seen.values()] };
    });
  }
}

/** Members of a set, the plainest first. */
export function membersOf(set: ValueSet): readonly Candidate[] {
  const members: Candidate[] = set.numbers.flatMap(numbersIn);
  if (set.texts.outside) members.push(...["x", "other", "y"].filter((text) => !set.texts.values.has(text)).slice(0, 2));
  else members.push(...[...set.texts.values].slice(0, 4));
  const { bits } = set;
  if (bits & TRUE) members.push(true);
  if (bits & FALSE) members.push(false);
  if (bits & LIST) members.push([], ["x"]);
  if (bits & MAP) members.push({});
  if (bits & NULL) members.push(null);
  if (bits & (ABSENT | NO_PARENT)) members.push(undefined);
  return members;
}

function numbersIn(one: Interval): readonly number[] {
  const { low, high } = one;
  const near = [1, 100, high, low, Math.floor(low) + 1, Math.ceil(high) - 1, (low + high) / 2, 0];
  const set: ValueSet = { bits: 0, numbers: [one], texts: { outside: false, values: new Set() } };
  return [...new Set(near)].filter((value) => Number.isFinite(value) && has(set, value)).slice(0, 4);
}

/** Lists and texts of a size in the set. */
export function sized(set: ValueSet): readonly Candidate[] {
  const wanted = set.numbers.flatMap(({ low, high }) => numbersIn(interval(Math.max(low, 0), Math.min(high, 200))));
  const sizes = wanted.filter((size) => Number.isInteger(size));
  return [...sizes.map((size) => Array.from({ length: size }, () => "x")), ...sizes.map((size) => "x".repeat(size))];
}

/** What an expression itself speaks of. `locals` are macro variables and the lists they run over. */
export function hint(expr: Expr, into: Candidates, constants: Constants): void {
  if (expr.kind === "macro") {
    macro(expr, into, constants);
    return;
  }
  if (expr.kind === "call") {
    textCall(expr, into);
    typedCall(expr, into);
  }
  if (expr.kind === "binary") compared(expr, into, constants);
  if (expr.kind === "has") {
    const parent = plainPath(expr.operand);
    if (parent !== null) fallback([...parent, expr.field], into);
    return;
  }
  const path = readPath(expr);
  if (path !== null) fallback(path, into);
  else for (const child of childrenOf(expr)) hint(child, into, constants);
}

function fallback(path: readonly string[], into: Candidates): void {
  into.add(path, ["x", 1, true, ["x"], [], undefined]);
}

/** A path that is read, with or without optionals: `args.?cc` reads `args.cc`. */
export function readPath(expr: Expr): readonly string[] | null {
  const fields: string[] = [];
  let at = expr;
  while (
    at.kind === "select" ||
    (at.kind === "index" && at.index.kind === "literal" && typeof at.index.value === "string")
  ) {
    fields.push(at.kind === "select" ? at.field : String(at.index.kind === "literal" ? at.index.value : ""));
    at = at.operand;
  }
  return at.kind === "identifier" && fields.length > 0 ? [at.name, ...fields.reverse()] : null;
}

/** The text that a function looks at: `args.to.lowerAscii().trim()` looks at `args.to`. */
export function lookedAt(expr: Expr): readonly string[] | null {
  let at = expr;
  while (at.kind === "call" && at.target !== null) at = at.target;
  return readPath(at);
}

const TEXT_TESTS: ReadonlySet<string> = new Set(["startsWith", "endsWith", "contains", "matches"]);

export interface TextTest {
  readonly name: string;
  readonly literal: string;
  readonly subject: Expr;
}

/** `x.endsWith("lit")` and the like. */
export function textTest(call: Call): TextTest | undefined {
  const [subject, argument] = call.target === null ? call.args : [call.target, ...call.args];
  if (!TEXT_TESTS.has(call.name) || subject === undefined || argument?.kind !== "literal") return undefined;
  return typeof argument.value === "string" ? { name: call.name, literal: argument.value, subject } : undefined;
}

/** Texts that pass the test, as far as that is easily said. */
export function passing({ name, literal }: TextTest): readonly string[] {
  switch (name) {
    case "startsWith":
      return [`${literal}x`, literal];
    case "endsWith":
      return [`x${literal}`, literal];
    case "contains":
      return [`x${literal}x`, literal];
    default:
      return sampleOf(literal);
  }
}

function textCall(call: Call, into: Candidates): void {
  const test = textTest(call);
  const path = test === undefined ? null : lookedAt(test.subject);
  // One that does not pass is as telling as one that does.
  if (test !== undefined && path !== null) into.add(path, [...passing(test), test.literal.includes("x") ? "y" : "x"]);
}

/** Texts of the form that a typed function understands, about the literal beside it. */
function typedCall({ name, target, args }: Call, into: Candidates): void {
  const texts = TYPED.get(name);
  const [subject, literal] = args;
  if (texts === undefined || target !== null || subject === undefined) return;
  const path = readPath(subject) ?? (subject.kind === "call" ? readPath(subject.args[0] ?? subject) : null);
  const word = literal?.kind === "literal" && typeof literal.value === "string" ? literal.value : "example.com";
  if (path !== null) into.add(path, texts(word));
}

const TYPED: ReadonlyMap<string, (word: string) => readonly string[]> = new Map([
  ["inDomain", (word: string) => [`x@${word}`, `https://${word}/`, word, "x@other.example", "https://other.example/"]],
  ["domain", () => ["x@example.com"]],
  ["host", () => ["https://example.com/"]],
  ["within", (word: string) => [`${word.replace(/\/$/, "")}/x`, "/other"]],
  ["glob", (word: string) => [word.replaceAll("*", "x")]],
  ["cidr", (word: string) => [word.replace(/\/.*$/, "")]],
  ["sql", () => ["SELECT 1 FROM x", "DELETE FROM x"]],
  ["shell", () => ["ls x", "git status"]],
  ["dec", () => ["1.00", "1000000.00"]],
]);

function compared(expr: Extract<Expr, { kind: "binary" }>, into: Candidates, constants: Constants): void {
  for (const [side, other] of [
    [expr.left, expr.right],
    [expr.right, expr.left],
  ] as const) {
    const constant = constantValue(other, constants);
    const path = readPath(side) ?? optionalPath(side);
    const sizedPath =
      side.kind === "call" && side.name === "size" ? readPath(side.target ?? side.args[0] ?? side) : null;
    if (sizedPath !== null && typeof constant === "number") {
      into.add(
        sizedPath,
        sized({
          bits: 0,
          numbers: [interval(constant - 1, constant + 1)],
          texts: { outside: false, values: new Set() },
        }),
      );
    } else if (path !== null && constant !== undefined) {
      into.add(path, expr.operator === "in" ? heldBy(side === expr.left, constant) : around(constant));
    } else if (path !== null && expr.operator === "in" && readPath(other) !== null) {
      into.add(path, side === expr.left ? ["x"] : [["x"]]);
    }
  }
}

/** `args.?x.orValue(0)` and what else stands around an optional. */
function optionalPath(expr: Expr): readonly string[] | null {
  return expr.kind === "call" && expr.target !== null ? lookedAt(expr) : null;
}

function heldBy(isNeedle: boolean, constant: Json): readonly Candidate[] {
  if (!isNeedle) return [[constant], []];
  return Array.isArray(constant) ? constant.slice(0, 3) : [];
}

function around(constant: Json): readonly Candidate[] {
  return typeof constant === "number" ? [constant, constant + 1, constant - 1] : [constant];
}

/** A list of what its items are compared with. */
function macro(expr: Macro, into: Candidates, constants: Constants): void {
  const range = readPath(expr.range);
  const inner = new Candidates();
  hint(expr.body, inner, constants);
  if (expr.where !== null) hint(expr.where, inner, constants);
  const items: Json[] = [];
  for (const { path, values } of inner.all()) {
    const [root, ...fields] = path;
    if (root !== expr.variable) into.add(path, values);
    else for (const value of values) if (value !== undefined) items.push(nested(fields, value));
  }
  for (const text of localTexts(expr)) items.unshift(text);
  if (range === null) hint(expr.range, into, constants);
  else into.add(range, [...items.slice(0, 6).map((item) => [item]), ["x"], []]);
}

/** Texts that a test on the macro variable itself accepts. */
function localTexts({ variable, body }: Macro): readonly Json[] {
  const found: Json[] = [];
  const visit = (expr: Expr): void => {
    if (expr.kind === "call") {
      const test = textTest(expr);
      if (test?.subject.kind === "identifier" && test.subject.name === variable) found.push(...passing(test));
    }
    if (expr.kind === "binary") {
      for (const [side, other] of [
        [expr.left, expr.right],
        [expr.right, expr.left],
      ] as const) {
        const constant = constantValue(other, new Map());
        if (side.kind === "identifier" && side.name === variable && constant !== undefined) {
          found.push(...(Array.isArray(constant) ? constant.slice(0, 2) : [constant]));
        }
      }
    }
    for (const child of childrenOf(expr)) visit(child);
  };
  visit(body);
  return found;
}

function nested(fields: readonly string[], value: Json): Json {
  return fields.reduceRight<Json>((inner, field) => ({ [field]: inner }), value);
}
