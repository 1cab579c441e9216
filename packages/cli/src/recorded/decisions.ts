/** Decisions from the log, each with all that it was made from: so much that another revision can be asked the same. */

import {
  type CallEntry,
  type EntryHeader,
  type EvaluationContext,
  type Json,
  type JsonObject,
  normalizeUnbound,
  parseHeaderText,
  REDACTED_PART,
  type ToolCall,
  type Verdict,
} from "@saferun/core";
import { unwrappedJson } from "@saferun/server/wire";

/** The decision on a call as the agent proposed it; later ones, after an approval, are not among these. */
export interface RecordedDecision {
  readonly seq: number;
  /** Store time, ms. */
  readonly at: number;
  readonly id: string;
  readonly verdict: Verdict;
  readonly by: readonly string[];
  readonly revision: string;
  /** What it was made from, or why that cannot be had any more. */
  readonly input:
    | { readonly call: ToolCall; readonly context: EvaluationContext }
    | { readonly missing: MissingInput; readonly tool: string };
}

/**
 * `malformed`: it was no call, which no policy was asked about. `erased`: content was taken out of the log. `masked`: the
 * log holds something else in its place. `incomplete`: the proposal stands before the entries that were read.
 */
export type MissingInput = "malformed" | "erased" | "masked" | "incomplete";

interface Proposal {
  readonly tool: Json | undefined;
  /** Undefined: erased. */
  readonly args: Json | undefined;
  /** The log holds a mask in the place of something that the decision may rest on. */
  readonly masked: boolean;
}

/** Takes entries in the order of the log; keeps only what is still without its decision. */
export function recordedDecisions(): (entry: CallEntry) => RecordedDecision | undefined {
  const proposals = new Map<string, Proposal>();
  return (entry) => {
    const header = parseHeaderText(entry.header);
    const { call: id } = header;
    if (id === undefined) return undefined;
    if (header.type === "call.proposed") {
      proposals.set(id, proposalOf(entry, header));
      return undefined;
    }
    const decided = header.type === "call.decided" && header.approval === undefined;
    if (!decided) return undefined;
    const proposal = proposals.get(id);
    proposals.delete(id);
    const { verdict = "deny", rules = [], revision = "" } = header;
    const content = contentOf(entry, "decision");
    const by = textsOf(field(field(content, "decision"), "by")) ?? rules;
    const known =
      proposal !== undefined && isMasked(entry, "decision", "/context") ? { ...proposal, masked: true } : proposal;
    const input = inputOf(header, known, content);
    return { seq: entry.seq, at: header.time, id, verdict, by, revision, input };
  };
}

function proposalOf(entry: CallEntry, { tool }: EntryHeader): Proposal {
  const masked = isMasked(entry, "arguments") || isMasked(entry, "tool");
  return { tool: tool ?? contentOf(entry, "tool"), args: contentOf(entry, "arguments"), masked };
}

function inputOf(
  header: EntryHeader,
  proposal: Proposal | undefined,
  content: Json | undefined,
): RecordedDecision["input"] {
  const tool = typeof proposal?.tool === "string" ? proposal.tool : "(no name)";
  if (header.rules?.includes("call.malformed")) return { missing: "malformed", tool };
  if (proposal === undefined) return { missing: "incomplete", tool };
  if (content === undefined || proposal.args === undefined || proposal.tool === undefined) {
    return { missing: "erased", tool };
  }
  if (proposal.masked) return { missing: "masked", tool };
  const context = field(content, "context");
  if (!isContext(context) || !isMap(proposal.args) || "encoding" in proposal.args) return { missing: "masked", tool };
  const { agent, environment } = context;
  const normal = normalizeUnbound({ tool, args: proposal.args, agent, environment });
  return normal.ok ? { call: normal.call, context } : { missing: "masked", tool };
}

/** True where the record masks something of this part, below this pointer. A list that was erased masks all. */
function isMasked(entry: CallEntry, name: string, below = ""): boolean {
  if (!entry.parts.has(REDACTED_PART)) return false;
  const paths = contentOf(entry, REDACTED_PART);
  if (paths === undefined) return true;
  return (textsOf(field(paths, name)) ?? []).some((path) => path === "" || path.startsWith(below));
}

/** Undefined where the part was erased, or is not there. */
function contentOf(entry: CallEntry, name: string): Json | undefined {
  const text = entry.parts.get(name);
  return typeof text === "string" ? unwrappedJson(JSON.parse(text) as Json) : undefined;
}

/** The gate wrote it; only what evaluation itself relies on is looked at. */
function isContext(value: unknown): value is EvaluationContext {
  if (typeof value !== "object" || value === null) return false;
  const { agent, environment, principal, run, call, now } = value as Partial<Record<keyof EvaluationContext, unknown>>;
  const maps = [principal, run, call].every((one) => typeof one === "object" && one !== null);
  return maps && typeof agent === "string" && typeof environment === "string" && typeof now === "number";
}

function field(value: Json | undefined, key: string): Json | undefined {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textsOf(value: Json | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}
