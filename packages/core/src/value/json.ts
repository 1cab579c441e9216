/**
 * Canonical JSON (RFC 8785): the one byte form of a value that is digested, logged and executed.
 */
import { LIMITS } from "../limits.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Why a value has no canonical form, and where (`$`, `$.a[2].b`). */
export class JsonProblem extends Error {
  override readonly name = "JsonProblem";
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** What a text may still cost. An object that stands in two places is written twice, so that a few may stand for millions. */
export interface JsonBudget {
  values: number;
  /** Of texts and keys. */
  characters: number;
}

/**
 * RFC 8785 text of a plain JSON value: keys by UTF-16 code units, numbers as ECMAScript prints them.
 * @throws JsonProblem on what JSON cannot carry exactly: NaN, infinities, lone surrogates, `undefined`, functions,
 * non-plain objects, accessors, symbols, cycles, nesting over `LIMITS.jsonDepth`.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0, undefined);
}

/** The same for a value that nobody has bounded before: stops once the budget is used up. @throws JsonProblem then too. */
export function boundedJson(value: unknown, budget: JsonBudget): string {
  return write(value, 0, budget);
}

/** @throws JsonProblem once the budget is used up. */
export function spendJson(budget: JsonBudget, characters: number): void {
  budget.values -= 1;
  budget.characters -= characters;
  if (budget.values < 0 || budget.characters < 0) throw new JsonProblem("$", "too many values or too much text");
}

function write(value: unknown, depth: number, budget: JsonBudget | undefined): string {
  if (budget !== undefined) spendJson(budget, typeof value === "string" ? value.length : 0);
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) throw new JsonProblem("$", "text with a lone surrogate");
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value)) throw new JsonProblem("$", `the number ${String(value)}`);
      return Object.is(value, -0) ? "0" : String(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      if (depth >= LIMITS.jsonDepth) throw new JsonProblem("$", `nesting over ${LIMITS.jsonDepth} levels`);
      return Array.isArray(value) ? writeList(value, depth, budget) : writeMap(value, depth, budget);
    default:
      throw new JsonProblem("$", `a value of type ${typeof value}`);
  }
}

function writeList(list: readonly unknown[], depth: number, budget: JsonBudget | undefined): string {
  let text = "[";
  let index = 0;
  try {
    for (; index < list.length; index++) {
      if (index > 0) text += ",";
      text += write(list[index], depth + 1, budget);
    }
  } catch (error) {
    throw below(`[${index}]`, error);
  }
  return `${text}]`;
}

function writeMap(map: object, depth: number, budget: JsonBudget | undefined): string {
  const prototype: unknown = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) throw new JsonProblem("$", "an object that is not plain");
  let text = "{";
  for (const key of Object.keys(map).sort()) {
    const property = Object.getOwnPropertyDescriptor(map, key);
    if (property === undefined || !("value" in property)) throw new JsonProblem(`$.${key}`, "an accessor");
    if (!key.isWellFormed()) throw new JsonProblem("$", "a key with a lone surrogate");
    // As in `JSON.stringify`, a property without a value is none.
    if (property.value === undefined) continue;
    if (budget !== undefined) budget.characters -= key.length;
    if (text !== "{") text += ",";
    try {
      text += `${JSON.stringify(key)}:${write(property.value, depth + 1, budget)}`;
    } catch (error) {
      throw below(`.${key}`, error);
    }
  }
  return `${text}}`;
}

/** The same problem seen from one level up. Paths are made on the way out: most values have no problem and need none. */
function below(step: string, error: unknown): unknown {
  return error instanceof JsonProblem ? new JsonProblem(`$${step}${error.path.slice(1)}`, error.message) : error;
}
