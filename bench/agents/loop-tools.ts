/** What the owner of these agents would write under `tools:`. By what a tool is, never by the trace it occurs in. */
import { type ToolTraits, UNDECLARED_TOOL } from "@saferun/core";
import type { Trace, TraceCall } from "./loop-trace.ts";

const READING =
  /^(?:open|goto|ls|cat|find|grep|head|tail|pwd|file|scroll_(?:up|down)|(?:search|find|get|list|read|web_search)(?:_\w+)?|websurfer\.(?:scroll_\w+|find_\w+|read_\w+|visit\w*))$/;
const WRITING = /^(?:edit|create|submit|(?:book|cancel|update|send|modify|return|exchange)_\w+)$/;
/** Where calls that address somebody say whom. */
const ADDRESSES = ["to", "to[]", "cc", "cc[]", "recipient", "recipients[]", "email", "channel"];
const THINKING = /^(?:think|calculate)$/;

export function traitsOf(call: TraceCall, trace: Trace): ToolTraits {
  const base: ToolTraits = { kind: kindOf(call) };
  // Two kinds of traces say themselves that their tool is declared so.
  if (trace.kind === "declared_poll") return { ...base, poll: { everyMs: 60_000, forMs: 3_600_000 } };
  if (trace.kind === "pagination") return { ...base, paginate: "cursor" };
  if (call.state_h !== undefined) return { ...base, progress: "$.state" };
  return { ...base, recipients: ADDRESSES };
}

function kindOf({ tool, effect }: TraceCall): ToolTraits["kind"] {
  if (THINKING.test(tool)) return "none";
  if (effect !== undefined) return effect;
  if (READING.test(tool)) return "read";
  return WRITING.test(tool) ? "write" : UNDECLARED_TOOL.kind;
}
