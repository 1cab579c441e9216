import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { StoredEntry } from "./entry.ts";
import type { EntryHeader } from "./header.ts";
import { type CallRow, createLogStates } from "./states.ts";

const hash = { sha256: (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()) };
const LEAF = new Uint8Array(32);

/** States that remember two calls at most, over these rows. */
function over(rows: ReadonlyMap<string, CallRow>) {
  const states = createLogStates({ hash, read: (id) => rows.get(id), most: 2 });
  let seq = 0;
  return {
    states,
    say(type: EntryHeader["type"], call: string, more: Partial<EntryHeader> = {}): void {
      const link = { id: "w", n: seq, prev: null };
      const header: EntryHeader = { v: 1, log: "l", writer: link, run: link, time: seq, type, call, ...more };
      const entry: StoredEntry = { seq: seq++, header: LEAF, leaf: LEAF, parts: [] };
      states.see(entry, header);
    },
  };
}

const row = (state: CallRow["state"]): CallRow => ({
  run: "w",
  state,
  tool: "refund",
  revision: "r",
  approval: null,
  owner: "w",
});

function runCall(say: ReturnType<typeof over>["say"], id: string): void {
  say("call.proposed", id, { tool: "refund", parts: { arguments: "00" } });
  say("call.executing", id, { revision: "r" });
  say("call.finished", id, { outcome: "succeeded" });
}

describe("calls of a long log", () => {
  it("are forgotten once they have ended as their rows say, and only those", () => {
    const rows = new Map(["a", "b", "c"].map((id) => [id, row("succeeded")]));
    rows.set("changed", row("failed"));
    const { states, say } = over(rows);
    say("call.proposed", "open", { parts: { arguments: "00" } });
    for (const id of ["a", "changed", "b", "rowless", "c", "last"]) runCall(say, id);
    expect([...states.calls.keys()]).toEqual(expect.arrayContaining(["open", "changed", "rowless"]));
    expect(["a", "b", "changed", "rowless", "open"].map((id) => states.settled.has(id))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(states.calls.size + states.settled.size).toBe(7);
  });

  it("are taken up again when the log speaks of them once more", () => {
    const rows = new Map(["a", "b", "c", "d"].map((id) => [id, row("succeeded")]));
    const { states, say } = over(rows);
    for (const id of ["a", "b", "c", "d"]) runCall(say, id);
    expect(states.settled.has("a")).toBe(true);
    say("call.reconciled", "a", { outcome: "failed" });
    // Which its row does not say: it stays to be named.
    expect(states.settled.has("a")).toBe(false);
    expect(states.calls.get("a")).toMatchObject({ state: "failed", run: "w" });
    for (const id of ["e", "f", "g"]) runCall(say, id);
    expect(states.calls.get("a")?.state).toBe("failed");
  });
});
