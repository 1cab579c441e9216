/** `saferun replay RUN --fork N`: one argument or one answer of the record, changed. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  allSteps,
  exactValue,
  type Fork,
  type Json,
  type JsonObject,
  type RunTree,
  type TreeStep,
} from "@saferun/core";
import { failed, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable, short } from "../output/printable.ts";
import { leaf } from "../output/tree.ts";

/** Of a value, in the line that says what is changed. */
const SHOWN = 80;

export interface ForkOptions {
  readonly fork: number;
  readonly set?: readonly string[];
  readonly response?: string;
}

/** Arguments change what is decided, answers what the agent's code sees next. */
export type Forked = (
  | { readonly type: "arguments"; readonly call: string; readonly args: JsonObject }
  | { readonly type: "answer"; readonly fork: Fork }
) & {
  /** What is other than recorded, one line each: an argument that was not there may be a mistyped one. */
  readonly changes: readonly string[];
};

/** @throws CommandError for a step that is not there, a path that it does not have, content that is masked or erased. */
export function forkOf(io: Io, tree: RunTree, { fork, set = [], response }: ForkOptions): Forked {
  const step = allSteps(tree.steps).find(({ number }) => number === fork);
  if (step === undefined) throw usage(`the run has no step ${fork}`);
  if ((response === undefined) === (set.length === 0))
    throw usage("`--fork` takes `--set`, or `--response` for a model turn");
  if (response !== undefined) {
    const changes = [`step ${fork}: the model's answer is the one of \`${printable(response)}\``];
    return { type: "answer", fork: { step: fork, answer: responseOf(io, step, response) }, changes };
  }
  const wanted = set.map(assignment);
  const [first] = wanted;
  if (first === undefined || wanted.some(({ of }) => of !== first.of))
    throw usage("`--set` changes arguments or a result, not both at once");
  if (step.kind !== "call") throw usage(`step ${fork} is no tool call; give its answer with \`--response\``);
  const content = first.of === "args" ? step.arguments.proposed : step.result;
  // Who gives all of it needs nothing of the record.
  const recorded = exactValue(content) ?? (wanted.every(({ path }) => path === "") ? null : undefined);
  if (recorded === undefined) {
    const why =
      content === null ? "not recorded" : content.state === "present" ? "masked in the record" : content.state;
    const whole =
      first.of === "args" ? "; `--set 'args={…}'` gives all of them" : "; `--set 'result=…'` gives all of it";
    throw failed(
      "call.missing",
      `step ${fork} cannot be forked: its ${first.of === "args" ? "arguments are" : "result is"} ${why}${whole}`,
    );
  }
  let value: Json = recorded;
  const changes: string[] = [];
  for (const { of, path, to } of wanted) {
    const keys = keysOf(path);
    const was = valueAt(value, keys);
    const put: Json | undefined = keys.length === 0 ? to : changedAt(value, keys, to);
    if (put === undefined)
      throw usage(`step ${fork} has no place \`${printable(path)}\`: it names an item that is not in its list`);
    const before = was === undefined ? "which was not there" : `instead of ${short(leaf(was), SHOWN)}`;
    changes.push(`step ${fork}: \`${printable([of, ...keys].join("."))}\` is ${short(leaf(to), SHOWN)}, ${before}`);
    value = put;
  }
  if (first.of === "result") return { type: "answer", fork: { step: fork, answer: value }, changes };
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw usage("arguments must stay an object");
  return { type: "arguments", call: step.call, args: value as JsonObject, changes };
}

function assignment(text: string): { readonly of: "args" | "result"; readonly path: string; readonly to: Json } {
  const [, of, path = "", value = ""] = /^(args|result)(?:\.([^=]+))?=([\s\S]*)$/.exec(text) ?? [];
  if (of !== "args" && of !== "result") {
    throw usage(`\`--set ${printable(text)}\` is no change; write \`args.PATH=VALUE\` or \`result.PATH=VALUE\``);
  }
  return { of, path, to: jsonOrText(value) };
}

function jsonOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** `items[0].price` and `items.0.price` are the same place. */
function keysOf(path: string): readonly string[] {
  return path.split(/[.[\]]/).filter((key) => key !== "");
}

function valueAt(value: Json | undefined, [key, ...rest]: readonly string[]): Json | undefined {
  if (key === undefined || value === undefined) return value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return valueAt((value as JsonObject)[key], rest);
}

/** Undefined where an item of a list is meant that is not there: no call has had such a list. */
function changedAt(at: Json | undefined, [key, ...rest]: readonly string[], to: Json): Json | undefined {
  if (key === undefined) return to;
  const below = changedAt(valueAt(at, [key]), rest, to);
  if (below === undefined) return undefined;
  if (Array.isArray(at)) {
    return /^\d+$/.test(key) && Number(key) < at.length ? at.with(Number(key), below) : undefined;
  }
  if (at === undefined && /^\d+$/.test(key)) return undefined;
  const map: JsonObject = typeof at === "object" && at !== null ? (at as JsonObject) : {};
  return { ...map, [key]: below };
}

function responseOf(io: Io, step: TreeStep, file: string): Json {
  if (step.kind !== "model")
    throw usage(`step ${step.number} is no model turn; \`--response\` gives the answer of one`);
  try {
    return JSON.parse(readFileSync(resolve(io.cwd, file), "utf8")) as Json;
  } catch (error) {
    throw usage(
      `\`${printable(file)}\` is no JSON file: ${printable(error instanceof Error ? error.message : String(error))}`,
    );
  }
}
