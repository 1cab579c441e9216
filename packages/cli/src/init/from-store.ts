/** Tools that agents asked for, from the log: names, and how large their numbers were. No text of an argument is taken over. */

import { type Json, type JsonObject, parseHeader, type Store } from "@saferun/core";
import { partJson } from "@saferun/server/wire";
import { failed } from "../exit.ts";
import { mapOf } from "./argument-schema.ts";
import type { FoundTool } from "./found-tool.ts";

const PAGE = 2_000;
const MOST_TOOLS = 1_000;
const MOST_PATHS = 50;
const DEPTH = 4;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

interface Seen {
  calls: number;
  readonly numbers: Map<string, { min: number; max: number }>;
  /** The shape of the first call, its texts replaced. */
  readonly sample: JsonObject;
}

export async function toolsOfStore(store: Store): Promise<readonly FoundTool[]> {
  const tools = new Map<string, Seen>();
  for (let from = 0; ; ) {
    const page = await store.entries({ from, limit: PAGE });
    for (const { header, parts } of page) {
      const { type, tool } = parseHeader(header);
      // A name that a model made up stands in a part, and is no tool.
      if (type !== "call.proposed" || tool === undefined) continue;
      const part = parts.find(({ name }) => name === "arguments");
      const args = mapOf(part === undefined || part.bytes === null ? {} : partJson(part));
      // What is no plain content says nothing of the tool's arguments.
      see(tools, tool, Object.hasOwn(args, "encoding") ? {} : args);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    from = last.seq + 1;
  }
  if (tools.size === 0) throw failed("init.empty", "no call is in this store yet: run the agent first");
  return [...tools].map(([name, { calls, numbers, sample }]) => ({
    name,
    kind: "destructive",
    why: `asked for ${calls} ${calls === 1 ? "time" : "times"}; nothing proves what it does; set \`read\` or \`write\` if you know it`,
    numbers: [...numbers].map(([path, { max }]) => ({ path, max })),
    sample,
  }));
}

function see(tools: Map<string, Seen>, tool: string, args: JsonObject): void {
  const known = tools.get(tool) ?? { calls: 0, numbers: new Map(), sample: shapeOf(args, 0) };
  if (!tools.has(tool) && tools.size >= MOST_TOOLS) return;
  tools.set(tool, known);
  known.calls++;
  ranges(args, "", known.numbers, 0);
}

function ranges(args: JsonObject, prefix: string, numbers: Seen["numbers"], depth: number): void {
  for (const [key, value] of Object.entries(args)) {
    if (!NAME.test(key)) continue;
    const path = `${prefix}${key}`;
    if (typeof value === "number") {
      const known = numbers.get(path);
      if (known !== undefined) {
        known.min = Math.min(known.min, value);
        known.max = Math.max(known.max, value);
      } else if (numbers.size < MOST_PATHS) numbers.set(path, { min: value, max: value });
    } else if (depth < DEPTH) ranges(mapOf(value), `${path}.`, numbers, depth + 1);
  }
}

/** Texts are people's; numbers are in the ranges anyway. */
function shapeOf(args: JsonObject, depth: number): JsonObject {
  return Object.fromEntries(
    Object.entries(args).flatMap(([key, value]) => (NAME.test(key) ? [[key, plain(value, depth)] as const] : [])),
  );
}

function plain(value: Json, depth: number): Json {
  if (typeof value === "string") return "text";
  if (Array.isArray(value)) return [];
  if (typeof value === "object" && value !== null) return depth < DEPTH ? shapeOf(value as JsonObject, depth + 1) : {};
  return value;
}
