/**
 * The history of a run, read from its log entries: which calls there were, with which arguments they ran, and what became
 * of them. One truth with the record: a restart, another process and a backtest see the same.
 */
import { LIMITS } from "../limits.ts";
import type { CallEntry } from "../log/call-entry.ts";
import { type EntryHeader, parseHeaderText } from "../log/header.ts";
import type { PastCall, PastCalls } from "../past-calls.ts";
import { REDACTED_PART } from "../redaction/masked-paths.ts";
import type { Json, JsonObject } from "../value/json.ts";

interface Known extends PastCall {
  readonly seq: number;
  /** Of the arguments, as they are counted against `LIMITS.historyBytes`. */
  readonly length: number;
}

/** Entries of one tree of runs; those of each run in the order of the log. */
export class RunBook {
  readonly #calls = new Map<string, Known>();
  #length = 0;
  #unreadable: string | null = null;

  /** False once there is more than a history may hold: then nothing more of it needs to be read. */
  see(entry: CallEntry): boolean {
    if (this.#unreadable === null) this.#see(entry, parseHeaderText(entry.header));
    return this.#unreadable === null;
  }

  /** The calls seen so far but this one, oldest first. */
  before(call: string): PastCalls {
    if (this.#unreadable !== null) return { unreadable: this.#unreadable };
    const others = [...this.#calls.values()].filter(({ id }) => id !== call);
    return { calls: others.sort((one, other) => one.seq - other.seq) };
  }

  #see(entry: CallEntry, header: EntryHeader): void {
    const { call: id, type } = header;
    if (id === undefined) return;
    const known = this.#calls.get(id);
    if (known === undefined) {
      // What was no call has no arguments: no rule was asked about it, and none can ask after it.
      if (type === "call.proposed" && header.parts?.arguments !== undefined) this.#propose(id, entry, header);
      return;
    }
    this.#put({ ...known, ...stepOf(known, header), ...argumentsOf(entry, header) });
  }

  #propose(id: string, entry: CallEntry, header: EntryHeader): void {
    const tool = header.tool ?? contentOf(entry, "tool");
    if (typeof tool !== "string" || maskedIn(entry, "tool", "")?.length !== 0) {
      this.#unreadable = "an earlier call of this run names a tool that the log does not hold any more";
      return;
    }
    const read = readArguments(entry, "arguments", "", (content) => content);
    const { time: at, step: turn = 0 } = header;
    this.#put({ id, seq: entry.seq, tool, at, turn, verdict: "deny", outcome: "none", ...read });
  }

  #put(call: Known): void {
    this.#length += call.length - (this.#calls.get(call.id)?.length ?? 0);
    this.#calls.set(call.id, call);
    if (this.#calls.size > LIMITS.historyCalls) {
      this.#unreadable = `more than ${LIMITS.historyCalls} calls in this run`;
    } else if (this.#length > LIMITS.historyBytes) {
      this.#unreadable = `more than ${LIMITS.historyBytes} characters of arguments in this run`;
    }
    if (this.#unreadable !== null) this.#calls.clear();
  }
}

function stepOf(call: Known, { type, verdict, outcome }: EntryHeader): Partial<Known> {
  const started = call.verdict === "allow" && call.outcome !== "none";
  switch (type) {
    case "call.decided":
      // An allow is one only once it is claimed: what was approved may still be refused when it is used.
      return { verdict: verdict === "deny" ? "deny" : "pause" };
    case "approval.requested":
      return { verdict: "pause" };
    case "approval.decided":
      return verdict === "allow" ? {} : { verdict: "deny" };
    case "approval.expired":
    case "approval.withdrawn":
      return started ? {} : { verdict: "deny" };
    case "call.executing":
      return { verdict: "allow", outcome: "unknown" };
    case "call.lost":
      return { outcome: "unknown" };
    case "call.finished":
    case "call.reconciled":
      return outcome === undefined ? {} : { outcome };
    default:
      return {};
  }
}

type ReadArguments = Pick<Known, "args" | "masked" | "length">;

/** What this entry says of the arguments: a person's edit, or what the policies made of them. */
function argumentsOf(entry: CallEntry, { type, verdict, parts }: EntryHeader): Partial<ReadArguments> {
  if (type === "approval.decided" && verdict === "allow") {
    return readArguments(entry, "arguments", "", (content) => content);
  }
  if (type !== "call.decided" || parts?.decision === undefined) return {};
  const changed = (content: Json | undefined) => member(member(content, "decision"), "changed");
  const decision = contentOf(entry, "decision");
  // A decision that was erased may have changed them: what ran is not known any more.
  if (decision === undefined) return UNREADABLE;
  if (changed(decision) === undefined) return {};
  return readArguments(entry, "decision", "/decision/changed/args", (content) => member(changed(content), "args"));
}

const UNREADABLE: ReadArguments = { args: null, masked: [], length: 0 };

function readArguments(
  entry: CallEntry,
  part: string,
  below: string,
  find: (content: Json | undefined) => Json | undefined,
): ReadArguments {
  const args = find(contentOf(entry, part));
  const masked = maskedIn(entry, part, below);
  if (!isMap(args) || masked === undefined || masked.includes("")) return UNREADABLE;
  return { args, masked, length: entry.parts.get(part)?.length ?? 0 };
}

/** Pointers below this one, without it; undefined where the list of what is masked was erased. A mask around it is `""`. */
function maskedIn(entry: CallEntry, part: string, below: string): readonly string[] | undefined {
  if (!entry.parts.has(REDACTED_PART)) return [];
  const listed = contentOf(entry, REDACTED_PART);
  if (listed === undefined) return undefined;
  const paths = member(listed, part);
  if (paths === undefined) return [];
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === "string")) return undefined;
  return paths.flatMap((path: string) => {
    if (path.startsWith(`${below}/`) || path === below) return [path.slice(below.length)];
    return below.startsWith(`${path}/`) || path === "" ? [""] : [];
  });
}

/** Undefined: erased, not there, or wrapped because it was no plain JSON. */
function contentOf(entry: CallEntry, part: string): Json | undefined {
  const text = entry.parts.get(part);
  if (typeof text !== "string") return undefined;
  const value = JSON.parse(text) as Json;
  const encoding = member(value, "encoding");
  if (encoding === undefined) return value;
  return encoding === "json" ? member(value, "value") : undefined;
}

function member(value: Json | undefined, key: string): Json | undefined {
  return isMap(value) && Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
