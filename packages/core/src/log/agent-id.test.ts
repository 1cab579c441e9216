import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hash } from "../ports.ts";
import { agentId, isAgentId } from "./agent-id.ts";

const hash: Hash = { sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()) };
const idOf = (name: string): string => agentId(name, hash);

describe("agentId", () => {
  it("leaves a plain name as it is, and gives every other one an id that nothing of it stands in", () => {
    for (const name of ["support", "billing-bot", "team/support@v2", "agent_1", "agent_4f0c"])
      expect([idOf(name), isAgentId(name)]).toEqual([name, false]);
    for (const name of ["Refund Helper", "Rückerstattung", "", " support", "support\n", "-x", "a".repeat(129), "💸"])
      expect(idOf(name)).toMatch(/^agent_[0-9a-f]{64}$/);
    const of = createHash("sha256").update('saferun/agent/v1\0"Refund Helper"').digest("hex");
    expect(idOf("Refund Helper")).toBe(`agent_${of}`);
  });

  it("is no other agent's, whatever an agent calls itself: not by its id, not by what begins like one", () => {
    const victim = idOf("Refund Helper");
    for (const name of [victim, `${victim}x`, `${victim}/1`, `agent_${"0".repeat(64)}`]) {
      expect(isAgentId(idOf(name))).toBe(true);
      expect(idOf(name)).not.toBe(victim);
      expect(idOf(name)).not.toBe(name);
    }
    expect(isAgentId(`${victim}x`)).toBe(false);
  });

  it("tells any two names apart: other case, other form of one character, lone surrogates", () => {
    const near = ["Refund Helper", "refund helper", "Refund  Helper", "Refund\u00a0Helper", "e\u0301", "\u00e9"];
    const broken = ["\ud800", "\ud801", "\ufffd"];
    expect(new Set([...near, ...broken].map(idOf)).size).toBe(near.length + broken.length);
    const names = fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.string().map(idOf));
    fc.assert(fc.property(names, names, (one, other) => (idOf(one) === idOf(other)) === (one === other)));
  });
});
