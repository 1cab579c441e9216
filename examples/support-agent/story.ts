/** Reads back from the log what the gate decided, call by call: the demo prints the record, not what it hopes for. */
import { canonicalJson, type JsonObject, parseHeader, type StoredEntry, type Verdict } from "@saferun/core";

/** One tool call, as far as the log knows it by now. */
export interface StoryCall {
  readonly id: string;
  readonly run: string;
  /** The framework's id of the call, by which its model asked for it: its tool sends it along as idempotency key. */
  readonly key: string | null;
  readonly tool: string;
  /** As the model asked for it. */
  readonly args: JsonObject;
  readonly verdict: Verdict | null;
  readonly rules: readonly string[];
  /** A person's answer; absent where nobody was asked or nobody has answered. */
  readonly answer?: {
    readonly verdict: Verdict;
    readonly by: string;
    readonly edited: boolean;
    readonly args: JsonObject;
  };
  readonly executing: boolean;
  readonly outcome?: "succeeded" | "failed" | "unknown";
  /** What the tool threw. */
  readonly error?: string;
  /** Rules that denied the call as the person approved it. */
  readonly refused?: readonly string[];
  /** Nobody answered in time, or nobody waits for the answer any more. */
  readonly over?: boolean;
}

/** A breaker that let no call through from then on. */
export interface StoryTrip {
  readonly scope: "tool" | "agent" | "run";
  readonly name: string;
  /** `open`: for a while; `stopped`: until a person resets it. */
  readonly to: "open" | "stopped";
}

/** Breakers that opened or were stopped, in order. */
export function tripsOf(entries: readonly StoredEntry[]): StoryTrip[] {
  return entries.flatMap((entry) => {
    const { type } = parseHeader(entry.header);
    if (type !== "breaker.open" && type !== "breaker.stopped") return [];
    const { scope, name, to } = content(entry, "breaker") as object as StoryTrip;
    return [{ scope, name, to }];
  });
}

/** Folds the entries into calls, in the order in which they were proposed. */
export function callsOf(entries: readonly StoredEntry[]): StoryCall[] {
  const calls = new Map<string, StoryCall>();
  for (const entry of entries) {
    const { call: id, ...header } = parseHeader(entry.header);
    if (id === undefined) continue;
    const run = header.run?.id ?? "";
    const call = calls.get(id) ?? {
      id,
      run,
      key: null,
      tool: "",
      args: {},
      verdict: null,
      rules: [],
      executing: false,
    };
    calls.set(id, { ...call, ...change(call, header, entry) });
  }
  const asked = askedIn(entries);
  return [...calls.values()].map((call) => {
    const at = asked.findIndex(
      ({ run, tool, args }) => run === call.run && tool === call.tool && isSame(args, call.args),
    );
    const [found] = at === -1 ? [] : asked.splice(at, 1);
    return { ...call, key: found?.key ?? null };
  });
}

function isSame(one: JsonObject, other: JsonObject): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

/** The calls that models asked for, in order. */
function askedIn(entries: readonly StoredEntry[]): Pick<StoryCall, "run" | "key" | "tool" | "args">[] {
  return entries.flatMap((entry) => {
    const { type, run } = parseHeader(entry.header);
    const said = type === "model.responded" ? content(entry, "response").content : undefined;
    return (Array.isArray(said) ? (said as readonly JsonObject[]) : [])
      .filter((piece) => piece.type === "tool-call")
      .map(({ toolCallId, toolName, input }) => {
        const args = JSON.parse(String(input)) as JsonObject;
        return { run: run?.id ?? "", key: String(toolCallId), tool: String(toolName), args };
      });
  });
}

/** On whose behalf runs were started, by principal. */
export function principalsOf(entries: readonly StoredEntry[]): Set<string> {
  const found = new Set<string>();
  for (const entry of entries) {
    if (parseHeader(entry.header).type !== "run.started") continue;
    const { principal } = content(entry, "context") as { readonly principal?: { readonly id?: string } };
    if (principal?.id !== undefined) found.add(principal.id);
  }
  return found;
}

function change(
  call: StoryCall,
  header: Omit<ReturnType<typeof parseHeader>, "call">,
  entry: StoredEntry,
): Partial<StoryCall> {
  switch (header.type) {
    case "call.proposed":
      return { tool: header.tool ?? "", args: content(entry, "arguments") };
    case "call.decided":
      // An approved call is judged a second time; the story tells the first decision and the person's answer.
      if (call.verdict === null) return { verdict: header.verdict ?? null, rules: header.rules ?? [] };
      return header.verdict === "deny" ? { refused: header.rules ?? [] } : {};
    case "approval.decided": {
      const actor = content(entry, "actor") as { readonly by?: { readonly id?: string }; readonly edited?: boolean };
      const verdict = header.verdict ?? "deny";
      const { by, edited } = actor;
      return { answer: { verdict, by: by?.id ?? "", edited: edited === true, args: content(entry, "arguments") } };
    }
    case "call.executing":
      return { executing: true };
    case "call.finished":
    case "call.lost":
      return { outcome: header.outcome ?? "unknown", ...errorOf(entry) };
    case "approval.expired":
    case "approval.withdrawn":
      return { over: true };
    default:
      return {};
  }
}

function errorOf(entry: StoredEntry): Pick<StoryCall, "error"> {
  const { message } = content(entry, "error");
  return typeof message === "string" ? { error: message } : {};
}

function content(entry: StoredEntry, name: string): JsonObject {
  return (part(entry, name) ?? {}) as JsonObject;
}

function part(entry: StoredEntry, name: string): unknown {
  const bytes = entry.parts.find((candidate) => candidate.name === name)?.bytes;
  return bytes === undefined || bytes === null ? undefined : JSON.parse(new TextDecoder().decode(bytes));
}
