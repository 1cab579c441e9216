/** Recorded runs as the loop corpus stores them: mostly digests, lengths and MinHashes, in a few traces the texts. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

export interface TraceCall {
  readonly i: number;
  readonly tool: string;
  readonly error: boolean;
  readonly error_class?: string;
  /** User messages so far. */
  readonly turn?: number;
  /** Seconds since the start. */
  readonly t?: number;
  readonly effect?: "read" | "write";
  readonly args_h?: string;
  readonly result_h?: string;
  readonly result_mh?: string;
  readonly state_h?: string;
  readonly args?: unknown;
  readonly result?: unknown;
}

export interface Trace {
  readonly trace: string;
  readonly source: string;
  readonly label: string | null;
  readonly kind: string;
  readonly onset: number | null;
  readonly calls: readonly TraceCall[];
}

/** Every trace below `data/loops`, or of `data` itself where it has no such folder. */
export function readTraces(data: string): readonly Trace[] {
  const inner = path.join(data, "loops");
  const folder = statSync(inner, { throwIfNoEntry: false })?.isDirectory() ? inner : data;
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .sort();
  if (files.length === 0) throw new Error(`no \`.jsonl\` files in \`${folder}\``);
  return files.flatMap((name) => {
    const lines = readFileSync(path.join(folder, name), "utf8").split("\n");
    return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Trace);
  });
}
