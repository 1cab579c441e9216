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
import { printable } from "../output/printable.ts";

export interface ForkOptions {
  readonly fork: number;
  readonly set?: readonly string[];
  readonly response?: string;
}

/** Arguments change what is decided, answers what the agent's code sees next. */
export type Forked =
  | { readonly type: "arguments"; readonly call: string; readonly args: JsonObject }
  | { readonly type: "answer"; readonly fork: Fork };

/** @throws CommandError for a step that is not there, a path that it does not have, content that is masked or erased. */
export function forkOf(io: Io, tree: RunTree, { fork, set = [], response }: ForkOptions): Forked {
  const step = allSteps(tree.steps).find(({ number }) => number === fork);
  if (step === undefined) throw usage(`the run has no step ${fork}`);
  if ((response === undefined) === (set.length === 0))
    throw usage("`--fork` takes `--set`, or `--response` for a model turn");
  if (response !== undefined) return { type: "answer", fork: { step: fork, answer: responseOf(io, step, response) } };
  const changes = set.map(assignment);
  const [first] = changes;
  if (first === undefined || changes.some(({ of }) => of !== first.of))
    throw usage("`--set` changes arguments or a result, not both at once");
  if (step.kind !== "call") throw usage(`step ${fork} is no tool call; give its answer with \`--response\``);
  const content = first.of === "args" ? step.arguments.proposed : step.result;
  let value = exactValue(content);
  if (value === undefined) {
    const why =
      content === null ? "not recorded" : content.state === "present" ? "masked in the record" : content.state;
    throw failed(
      "call.missing",
      `step ${fork} cannot be forked: its ${first.of === "args" ? "arguments are" : "result is"} ${why}`,
    );
  }
  for (const { path, to } of changes) value = path === "" ? to : changedAt(value, path, to);
  if (first.of === "result") return { type: "answer", fork: { step: fork, answer: value } };
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw usage("arguments must stay an object");
  return { type: "arguments", call: step.call, args: value as JsonObject };
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

function changedAt(value: Json, path: string, to: Json): Json {
  const keys = path.split(".").flatMap((key) => key.split(/[[\]]/).filter((piece) => piece !== ""));
  const put = (at: Json | undefined, [key, ...rest]: readonly string[]): Json => {
    if (key === undefined) return to;
    if (Array.isArray(at)) return at.map((item: Json, index) => (String(index) === key ? put(item, rest) : item));
    const map: JsonObject = typeof at === "object" && at !== null ? (at as JsonObject) : {};
    return { ...map, [key]: put(Object.hasOwn(map, key) ? map[key] : undefined, rest) };
  };
  return put(value, keys);
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
