/** The strict checker of one tree against the format: a typed value, and an issue for everything that does not fit. */
import { parseDecimal } from "../value/decimal.ts";
import type { Json } from "../value/json.ts";
import { parseTimestamp } from "./cel/time.ts";
import { Timestamp } from "./cel/values.ts";
import { type Issues, quote } from "./issue.ts";
import { fold, nearest } from "./nearest.ts";
import { type Field, type Infer, PATTERNS, type Shape } from "./shape.ts";
import type { ListNode, MapNode, ScalarNode, TreeNode } from "./tree.ts";

/**
 * Reads `node` as `shape`. The value is complete only when no error was added to `issues`; where a piece does not fit it
 * is left out, so that one run reports every issue. The cast is the only one: `value` follows `shape` case by case.
 */
export function readShape<S extends Shape>(
  node: TreeNode,
  shape: S,
  what: string,
  issues: Issues,
): Infer<S> | undefined {
  return value(node, shape, what, issues) as Infer<S> | undefined;
}

const PATTERN = new Map(Object.entries(PATTERNS).map(([key, { source }]) => [key, new RegExp(source, "u")]));
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

function value(node: TreeNode, shape: Shape, what: string, issues: Issues): unknown {
  switch (shape.type) {
    case "text":
      return textOf(node, what, issues)?.value;
    case "expression":
      return textOf(node, what, issues);
    case "time":
      return time(node, what, issues);
    case "name":
      return nameOf(node, shape.pattern, what, issues);
    case "words":
      return word(node, shape.words, what, issues);
    case "integer":
      return integer(node, shape.min, shape.max, what, issues);
    case "number":
      return number(node, what, issues);
    case "amount":
      return amount(node, what, issues);
    case "flag":
      return node.kind === "scalar" && typeof node.value === "boolean"
        ? node.value
        : wrong(node, "`true` or `false`", what, issues);
    case "duration":
      return duration(node, what, issues);
    case "json":
      return { value: jsonOf(node, issues), span: node.span };
    case "list":
      return node.kind === "list" ? items(node, shape.item, what, issues) : wrong(node, "a list", what, issues);
    case "some":
      return node.kind === "list" ? items(node, shape.item, what, issues) : one(node, shape.item, what, issues);
    case "map":
      return node.kind === "map" ? entries(node, shape.key, shape.value, issues) : wrong(node, "a map", what, issues);
    case "object":
      return node.kind === "map" ? fields(node, shape.fields, what, issues) : wrong(node, "a map", what, issues);
    case "either":
      return value(node, node.kind === "scalar" ? shape.scalar : shape.other, what, issues);
  }
}

function fields(node: MapNode, known: Readonly<Record<string, Field>>, what: string, issues: Issues): unknown {
  const read: Record<string, unknown> = { span: node.span };
  const { names, required } = wordsOf(known);
  for (const { key, keySpan, value: child } of node.entries) {
    const field = Object.hasOwn(known, key) ? known[key] : undefined;
    if (field === undefined) {
      const suggestion = nearest(key, names.keys());
      issues.error("unknown-key", keySpan, `unknown key ${quote(key)} in ${what}${hint(suggestion)}`, { suggestion });
    } else if (field.use === "reserved") {
      issues.error("not-yet", keySpan, `${quote(key)} is not available in this version; remove it`);
    } else {
      const result = value(child, field.shape, names.get(key) ?? quote(key), issues);
      if (result !== undefined) read[key] = result;
    }
  }
  for (const key of required) {
    if (node.entries.some((entry) => entry.key === key)) continue;
    issues.error("missing-key", node.span, `${what} has no ${quote(key)}`, { suggestion: key });
  }
  return read;
}

interface FieldWords {
  /** The fields' names as messages write them. */
  readonly names: ReadonlyMap<string, string>;
  readonly required: readonly string[];
}

/** By the fields of a shape, which the format has a few dozen of. */
const WORDS = new WeakMap<Readonly<Record<string, Field>>, FieldWords>();

function wordsOf(known: Readonly<Record<string, Field>>): FieldWords {
  const found = WORDS.get(known);
  if (found !== undefined) return found;
  const names = new Map(Object.keys(known).map((key) => [key, quote(key)]));
  const made = { names, required: Object.keys(known).filter((key) => known[key]?.use === "required") };
  WORDS.set(known, made);
  return made;
}

function entries(node: MapNode, pattern: keyof typeof PATTERNS, item: Shape, issues: Issues): unknown {
  const folds = new Map<string, string>();
  const read: unknown[] = [];
  for (const entry of node.entries) {
    const key = entry.key.normalize("NFC");
    const twin = folds.get(fold(key));
    if (twin !== undefined) {
      issues.error(
        "duplicate-key",
        entry.keySpan,
        `${quote(key)} and ${quote(twin)} differ only in case or spelling; keep one`,
      );
    }
    folds.set(fold(key), key);
    if (!fits(key, pattern)) {
      issues.error(
        "bad-name",
        entry.keySpan,
        `${quote(key)} is no valid name here; expected ${PATTERNS[pattern].says}`,
      );
      continue;
    }
    const result = value(entry.value, item, quote(key), issues);
    if (result !== undefined) read.push({ key, span: entry.keySpan, value: result });
  }
  return read;
}

function items(node: ListNode, item: Shape, what: string, issues: Issues): unknown {
  const owner = what.replace(/s`$/, "`");
  return node.items.map((child) => value(child, item, owner, issues)).filter((read) => read !== undefined);
}

function one(node: TreeNode, item: Shape, what: string, issues: Issues): unknown {
  const read = value(node, item, what, issues);
  return read === undefined ? undefined : [read];
}

function textOf(node: TreeNode, what: string, issues: Issues) {
  if (node.kind !== "scalar") return wrong(node, "a text", what, issues);
  if (typeof node.value === "string") {
    if (node.value.trim() !== "") return { value: node.value, span: node.span, node };
    issues.error("empty", node.span, `${what} is empty`);
    return undefined;
  }
  if (node.value === null && node.text === "") return empty(node, what, issues);
  issues.error(
    "wrong-type",
    node.span,
    `${what} must be a text, but ${quote(node.text)} is ${kindOf(node)}; put it in quotes`,
    { suggestion: JSON.stringify(node.text) },
  );
  return undefined;
}

/** `order: #W1` is an empty value with a comment behind it. */
function empty(node: ScalarNode, what: string, issues: Issues): undefined {
  const hidden = node.comment === undefined ? "" : `; ${quote(`#${node.comment}`)} is a comment in YAML, so quote it`;
  issues.error("empty", node.span, `${what} is empty${hidden}`);
  return undefined;
}

function nameOf(node: TreeNode, pattern: keyof typeof PATTERNS, what: string, issues: Issues) {
  const read = textOf(node, what, issues);
  if (read === undefined) return undefined;
  const normal = read.value.normalize("NFC");
  if (fits(normal, pattern)) return { value: normal, span: read.span, node: read.node };
  issues.error("bad-name", read.span, `${quote(normal)} does not fit ${what}; expected ${PATTERNS[pattern].says}`);
  return undefined;
}

function fits(name: string, pattern: keyof typeof PATTERNS): boolean {
  return !FORBIDDEN_KEYS.has(name) && (PATTERN.get(pattern)?.test(name) ?? false);
}

function word(node: TreeNode, allowed: readonly string[], what: string, issues: Issues): string | undefined {
  const read = textOf(node, what, issues);
  if (read === undefined) return undefined;
  if (allowed.includes(read.value)) return read.value;
  const suggestion = nearest(read.value, allowed);
  const list = allowed.map((option) => `\`${option}\``).join(", ");
  issues.error("bad-value", read.span, `${what} cannot be ${quote(read.value)}; expected ${list}${hint(suggestion)}`, {
    suggestion,
  });
  return undefined;
}

function integer(node: TreeNode, min: number, max: number, what: string, issues: Issues): number | undefined {
  if (node.kind !== "scalar" || typeof node.value !== "number" || !Number.isSafeInteger(node.value)) {
    return wrong(node, "a whole number", what, issues);
  }
  if (node.value >= min && node.value <= max) return node.value;
  const range = min === max ? `only \`${min}\` is available in this version` : `expected ${min} to ${max}`;
  issues.error(
    node.value > max && min === max ? "not-yet" : "bad-value",
    node.span,
    `${what} cannot be ${quote(node.text)}; ${range}`,
  );
  return undefined;
}

function number(node: TreeNode, what: string, issues: Issues): number | undefined {
  if (node.kind !== "scalar" || typeof node.value !== "number") return wrong(node, "a number", what, issues);
  if (exact(node.value)) return node.value;
  issues.error("bad-value", node.span, `the number ${quote(node.text)} cannot be held exactly`);
  return undefined;
}

/** Kept as a text: how many digits it may have is said by its unit. */
function amount(node: TreeNode, what: string, issues: Issues): string | undefined {
  if (node.kind !== "scalar") return wrong(node, "a number", what, issues);
  const { value } = node;
  if (typeof value === "string" && parseDecimal(value, MOST_DIGITS) !== undefined) return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return String(value);
  if (typeof value !== "string" && typeof value !== "number") return wrong(node, "a number", what, issues);
  const fraction = typeof value === "number" && value > 0 && !Number.isInteger(value);
  const advice = fraction ? `put it in quotes` : 'expected a whole number, or a decimal such as `"12.50"`';
  issues.error("bad-value", node.span, `${what} cannot be ${quote(node.text)}; ${advice}`);
  return undefined;
}

/** No unit has more after the point. */
const MOST_DIGITS = 6;

const UNITS = new Map([
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
const LONGEST_MS = 366 * 86_400_000;

function duration(node: TreeNode, what: string, issues: Issues): number | undefined {
  const read = textOf(node, what, issues);
  if (read === undefined) return undefined;
  const total = durationMs(read.value);
  if (total !== undefined) return total;
  issues.error(
    "bad-value",
    read.span,
    `${what} cannot be ${quote(read.value)}; expected a time such as \`90s\`, \`30m\`, \`4h\` or \`7d\`, at most 366 days`,
  );
  return undefined;
}

/** `1h30m` in ms; undefined for anything else, for nothing at all, and for more than 366 days. */
export function durationMs(text: string): number | undefined {
  if (!fits(text, "time")) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)([smhd])/g))
    total += Number(count) * (UNITS.get(unit ?? "") ?? 0);
  return total > 0 && total <= LONGEST_MS ? total : undefined;
}

function time(node: TreeNode, what: string, issues: Issues): string | undefined {
  const read = textOf(node, what, issues);
  if (read === undefined) return undefined;
  if (parseTimestamp(read.value, 0) instanceof Timestamp) return read.value;
  issues.error("bad-value", read.span, `${what} cannot be ${quote(read.value)}; expected \`2024-05-15T15:00:00Z\``);
  return undefined;
}

/** Plain data. Keys that would reach an object's prototype are refused, and numbers that JSON does not hold exactly. */
function jsonOf(node: TreeNode, issues: Issues): Json {
  switch (node.kind) {
    case "list":
      return Object.freeze(node.items.map((item) => jsonOf(item, issues)));
    case "map":
      return jsonMap(node, issues);
    case "scalar":
      if (node.value === null && node.text === "" && node.comment !== undefined) empty(node, "the value", issues);
      if (typeof node.value === "number" && !exact(node.value)) {
        issues.error("bad-value", node.span, `the number ${quote(node.text)} cannot be held exactly; put it in quotes`);
      }
      return node.value;
  }
}

function jsonMap(node: MapNode, issues: Issues): Json {
  const map: Record<string, Json> = {};
  const folds = new Set<string>();
  for (const { key, keySpan, value: child } of node.entries) {
    if (FORBIDDEN_KEYS.has(key)) {
      issues.error("bad-name", keySpan, `the key ${quote(key)} is not allowed`);
      continue;
    }
    if (folds.has(fold(key))) {
      issues.error("duplicate-key", keySpan, `the key ${quote(key)} stands there in two spellings; keep one`);
    }
    folds.add(fold(key));
    map[key] = jsonOf(child, issues);
  }
  return Object.freeze(map);
}

function exact(number: number): boolean {
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));
}

function wrong(node: TreeNode, expected: string, what: string, issues: Issues): undefined {
  if (node.kind === "scalar" && node.value === null && node.text === "") return empty(node, what, issues);
  const found = node.kind === "scalar" ? `${quote(node.text)} is ${kindOf(node)}` : `this is a ${node.kind}`;
  issues.error("wrong-type", node.span, `${what} must be ${expected}, but ${found}`);
  return undefined;
}

function kindOf(node: ScalarNode): string {
  return node.value === null
    ? "null"
    : node.value === true || node.value === false
      ? "a boolean"
      : `a ${typeof node.value === "string" ? "text" : "number"}`;
}

export function hint(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : `; did you mean \`${suggestion}\`?`;
}
