import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Json } from "../../value/json.ts";
import { callKeys } from "../loop/fingerprint.ts";
import { agentRowWithout, recipientKeys } from "./forget.ts";

const hash = { sha256: (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()) };

/** The keys under which a call's recipients are known. */
const known = (args: { [key: string]: Json }, path: string) =>
  callKeys({ tool: "mail", args, bytes: JSON.stringify(args) }, { kind: "write", recipients: [path] }, hash).recipients;

const without = (value: Json, recipients: readonly string[], runs: readonly string[] = []) =>
  agentRowWithout(
    { kind: "agent", id: "a", version: 1, due: 1, value },
    { recipients: new Set(recipients), runs: new Set(runs) },
  );

describe("an agent's row without what is erased", () => {
  it.each<[string, { [key: string]: Json }, string]>([
    ["a text, whatever its spelling", { to: " Ann@X.com " }, "to"],
    ["each of a list", { to: ["ann@x.com", "bob@x.com"] }, "to[]"],
    ["one in the depth", { mail: { to: [{ address: "ann@x.com" }] } }, "mail.to[].address"],
    ["what is no text", { to: { id: 7 } }, "to"],
  ])("has the keys of %s, wherever the policy found it", (_, args, path) => {
    const keys = known(args, path);
    expect(keys.length).toBeGreaterThan(0);
    expect([...recipientKeys(args, hash)]).toEqual(expect.arrayContaining([...keys]));
  });

  it("loses the recipients of a bucket, and of a row from before there were buckets", () => {
    expect(
      without(
        [
          ["a1", [1]],
          ["b2", [2, 3]],
        ],
        ["a1"],
      ),
    ).toEqual([["b2", [2, 3]]]);
    expect(without([["b2", [2]]], ["a1"])).toBeUndefined();
    const earlier = { a1: { since: 1, calls: [1] }, b2: { since: 1, calls: [] } };
    expect(without(earlier, ["a1"])).toEqual({ b2: { since: 1, calls: [] } });
    expect(without(earlier, ["c3"])).toBeUndefined();
  });

  it("says no more for whom a stopped run was, nor about whom a person was asked; what counts still counts", () => {
    const trip = (run: string) => ({ at: 1, run, principal: `of ${run}` });
    const row = {
      tools: [["mail", [{ start: 0, calls: 3 }]]],
      fresh: [],
      trips: [trip("r1"), trip("r2")],
      approved: { "rate:mail:a1": 9, "rate:mail": 9, novelty: 9 },
    };
    expect(without(row, ["a1"], ["r1"])).toEqual({
      ...row,
      trips: [{ at: 1, run: "r1", principal: "" }, trip("r2")],
      approved: { "rate:mail": 9, novelty: 9 },
    });
    expect(without(row, ["b2"], ["r3"])).toBeUndefined();
  });
});
