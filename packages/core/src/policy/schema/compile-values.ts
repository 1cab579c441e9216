/** Numbers, texts and lists. */
import type { Json } from "../../value/json.ts";
import { canonicalJson } from "../../value/json.ts";
import { createMatcher } from "../regex/match.ts";

import { isMultiple } from "./decimal.ts";
import { hasFormat } from "./formats.ts";
import type { ListShape, NumberBounds, TextBounds, TextPattern } from "./types.ts";
import type { Check, Compiler } from "./validation.ts";

export function checkNumber(bounds: NumberBounds): Check {
  const { exclusiveMinimum, exclusiveMaximum, multipleOf } = bounds;
  const least = bounds.minimum ?? Number.NEGATIVE_INFINITY;
  const most = bounds.maximum ?? Number.POSITIVE_INFINITY;
  const above = exclusiveMinimum ?? Number.NEGATIVE_INFINITY;
  const under = exclusiveMaximum ?? Number.POSITIVE_INFINITY;
  return (value, path, run) => {
    if (typeof value !== "number") return true;
    if (value < least) return run.miss(path, `must be at least ${least}`);
    if (value > most) return run.miss(path, `must be at most ${most}`);
    if (value <= above) return run.miss(path, `must be more than ${above}`);
    if (value >= under) return run.miss(path, `must be less than ${under}`);
    if (multipleOf === null || isMultiple(value, multipleOf)) return true;
    return run.miss(path, `must be a multiple of ${multipleOf}`);
  };
}

export function checkText(bounds: TextBounds): Check {
  const { format } = bounds;
  const least = bounds.minLength ?? 0;
  const most = bounds.maxLength ?? Number.POSITIVE_INFINITY;
  const pattern = bounds.pattern === null ? null : checkPattern(bounds.pattern);
  return (value, path, run, seen) => {
    if (typeof value !== "string") return true;
    if (isShorter(value, least)) return run.miss(path, `must have at least ${least} characters`);
    if (!isShorter(value, most + 1)) return run.miss(path, `must have at most ${most} characters`);
    if (format !== null && !hasFormat(format, value)) return run.miss(path, `must have the format ${format}`);
    return pattern === null || pattern(value, path, run, seen);
  };
}

/** Fewer code points than this? A code point is one or two code units, so that most texts need not be counted. */
function isShorter(text: string, count: number): boolean {
  if (text.length < count) return true;
  if (text.length >= 2 * count) return false;
  let points = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit <= 0xdbff) at++;
    points++;
  }
  return points < count;
}

/** Visits of a pattern's state that count one step. */
const VISITS_PER_STEP = 64;

/** Anywhere in the text, in linear time. Out of work counts as a miss. */
export function checkPattern({ text, compiled }: TextPattern): Check {
  const message = `must match the pattern ${text.length > 120 ? "of the schema" : text}`;
  const match = createMatcher(compiled);
  return (value, path, run) => {
    const most = Math.max(0, run.steps) * VISITS_PER_STEP;
    const spent = (visits: number): void => {
      run.spend(Math.ceil(visits / VISITS_PER_STEP));
    };
    const fits = typeof value === "string" && match(value, most, spent) === true;
    return fits || run.miss(path, message);
  };
}

export function checkList(shape: ListShape, compiler: Compiler): Check {
  const prefix = shape.prefix.map((schema) => compiler.at(schema));
  const items = shape.items === null ? null : compiler.at(shape.items);
  const least = shape.minItems ?? 0;
  const most = shape.maxItems ?? Number.POSITIVE_INFINITY;
  return (value, path, run) => {
    if (!isList(value)) return true;
    if (value.length < least) return run.miss(path, `must have at least ${least} items`);
    if (value.length > most) return run.miss(path, `must have at most ${most} items`);
    let fits = true;
    for (let index = 0; index < value.length; index++) {
      const check = prefix[index] ?? items;
      const at = run.issues === null ? "" : `${path}[${index}]`;
      if (check !== null && !check(value[index] ?? null, at, run, null)) fits = false;
      if (!fits && run.issues === null) return false;
    }
    if (!shape.unique || !run.spend(value.length)) return fits && run.spend(0);
    return (
      (new Set(value.map((item) => canonicalJson(item))).size === value.length ||
        run.miss(path, "must not hold a value twice")) &&
      fits
    );
  };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
