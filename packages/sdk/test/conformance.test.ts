/** One matrix for every adapter. The standing assertion is counted at the tool: what must not run did not. */
import { SafeRunError } from "@saferun/core";
import { createMemoryStore } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { SUBJECTS } from "./subjects.ts";
import { failingStore, policySet, world } from "./world.ts";

const full = () => new SafeRunError("record.full", "the disk is full");
const refund = (amount: number, id = "call-0") => ({ tool: "refund", args: { amount }, id });

for (const { name, call } of SUBJECTS) {
  describe(`${name} [G2~]`, () => {
    it("an allowed call runs once, with the arguments that were judged", async () => {
      const w = world();
      const [seen] = await call(w, [refund(50)]);
      expect(w.ran).toEqual([{ tool: "refund", args: { amount: 50 } }]);
      expect(seen?.value).toEqual({ refunded: 50 });
    });

    it("a denied call does not run, and says rule, reason and what to do instead (trap 27)", async () => {
      const w = world();
      const [seen] = await call(w, [refund(5_000)]);
      expect(w.ran).toEqual([]);
      expect(seen?.denied).toContain("refund.limit");
      expect(seen?.denied).toContain("Refunds over 1000 are not made by agents.");
      expect(seen?.denied).toContain("Hand the case over to finance.");
      expect(seen?.denied).toContain("Do not make this call again");
    });

    it("a call that no rule names does not run", async () => {
      const w = world({ policies: policySet("saferun: policy/v1\nenvironments: { prod: { unmatched: deny } }\n") });
      const [seen] = await call(w, [refund(1)]);
      expect(w.ran).toEqual([]);
      expect(seen?.denied).toContain("unmatched:prod");
    });

    it("a paused call runs after its approval, once [A1]", async () => {
      const w = world();
      const answer = call(w, [refund(200)]);
      const paused = await w.nextPaused();
      expect(w.ran).toEqual([]);
      expect((await paused.approve({ by: "ann" })).status).toBe("applied");
      expect((await answer)[0]?.value).toEqual({ refunded: 200 });
      expect(w.ran).toHaveLength(1);
      const approver = (await w.store.approval(paused.id))?.decision?.by;
      expect(approver).toEqual({ id: "ann", via: "code", verified: false });
    });

    it("a paused call that a person denies does not run", async () => {
      const w = world();
      const answer = call(w, [refund(200)]);
      await (await w.nextPaused()).deny({ note: "ask the customer first" });
      expect((await answer)[0]?.denied).toContain("ask the customer first");
      expect(w.ran).toEqual([]);
    });

    it("an edited call runs as edited, and whoever called is told what ran [A3~]", async () => {
      const w = world();
      const answer = call(w, [refund(200)]);
      await (await w.nextPaused()).approve({ args: { amount: 150 } });
      const [seen] = await answer;
      expect(w.ran).toEqual([{ tool: "refund", args: { amount: 150 } }]);
      expect(seen?.value).toMatchObject({ refunded: 150, saferun: { edited: true, ran: { amount: 150 } } });
    });

    it("a paused call that nobody answers does not run (trap 6)", async () => {
      const w = world();
      const [seen] = await call(w, [refund(200)]);
      expect(w.paused).toHaveLength(1);
      expect(w.ran).toEqual([]);
      expect(seen?.denied).toContain("approval.expired");
    });

    it("a call that was given up while it waited does not run, approved or not", async () => {
      const w = world();
      const controller = new AbortController();
      const answer = call(w, [refund(200)], controller.signal);
      const paused = await w.nextPaused();
      controller.abort();
      await answer;
      // A stream is let go of before the gate has looked: then the approval comes too late a moment after it was given.
      await paused.approve();
      while ((await w.store.callsIn(["pending", "approved"], 1)).length > 0) await new Promise(setImmediate);
      expect(await w.store.callsIn(["expired"], 10)).toHaveLength(1);
      expect(w.ran).toEqual([]);
    });

    it("a crashing policy denies (trap 5)", async () => {
      const crash = () => {
        throw new Error("bug");
      };
      const w = world({ policies: { ...policySet(), evaluate: crash } });
      const [seen] = await call(w, [refund(50)]);
      expect(w.ran).toEqual([]);
      expect(seen?.denied).toContain("internal.error");
    });

    it("a throwing `onPause` changes nothing: the call waits (trap 5)", async () => {
      const w = world({
        onPause: () => {
          throw new Error("slack is down");
        },
      });
      const answer = call(w, [refund(200)]);
      await (await w.nextPaused()).approve();
      await answer;
      expect(w.ran).toHaveLength(1);
      expect(w.warnings).toEqual(["Error: slack is down"]);
    });

    it("a hanging `onPause` changes nothing, and what it returns decides nothing (trap 5)", async () => {
      const hanging = world({ onPause: () => new Promise(() => {}) });
      await call(hanging, [refund(200)]);
      const agreeing = world({ onPause: () => ({ approved: true }) });
      await call(agreeing, [refund(200)]);
      expect([...hanging.ran, ...agreeing.ran]).toEqual([]);
    });

    it("parallel siblings are decided each on its own (trap 18)", async () => {
      const w = world();
      const answer = call(w, [
        refund(50, "a"),
        refund(5_000, "b"),
        refund(200, "c"),
        { tool: "lookup", args: {}, id: "d" },
      ]);
      await (await w.nextPaused()).deny();
      const seen = await answer;
      expect(w.ran.map(({ tool }) => tool).sort()).toEqual(["lookup", "refund"]);
      expect(seen.map(({ denied }) => denied !== undefined)).toEqual([false, true, true, false]);
    });

    it("the same call id twice runs once, whatever the arguments (trap 15)", async () => {
      const w = world();
      await call(w, [refund(50, "same"), refund(50, "same"), refund(60, "same")]);
      expect(w.ran).toHaveLength(1);
    });

    it("a tool that throws is not run again, its outcome is on record, and the caller gets the error", async () => {
      const w = world();
      const [seen] = await call(w, [{ tool: "explode", args: {} }]);
      expect(w.ran).toHaveLength(1);
      expect(seen?.error).toContain("the server is gone");
      expect(await w.store.callsIn(["unknown"], 10)).toHaveLength(1);
    });

    it("no record, no execution: a full disk denies [L1~]", async () => {
      // An agent's own prompt is a commit before; without a record of it, not even the model is asked.
      for (const nth of [1, 2, 3, 4]) {
        const w = world({ store: failingStore(createMemoryStore(), nth, full) });
        const seen = await call(w, [refund(50)]).catch((error: unknown) => [
          { error: String(error), value: undefined },
        ]);
        const claimed = await w.store.callsIn(["executing", "succeeded"], 10);
        expect(w.ran).toHaveLength(claimed.length);
        if (nth === 1) expect(w.ran).toEqual([]);
        // Without a durable outcome the result is not handed back.
        if ((await w.store.callsIn(["succeeded"], 1)).length === 0) expect(seen[0]?.value).toBeUndefined();
      }
    });

    it("arguments that the caller changes while it waits do not reach the tool (trap 12)", async () => {
      const w = world();
      const args: Record<string, unknown> = { amount: 200, to: { iban: "DE1" } };
      const answer = call(w, [{ tool: "refund", args, id: "m" }]);
      const paused = await w.nextPaused();
      args.amount = 1_000_000;
      Object.assign(args.to as object, { iban: "XX9" });
      await paused.approve();
      await answer;
      expect(w.ran).toEqual([{ tool: "refund", args: { amount: 200, to: { iban: "DE1" } } }]);
    });

    it("arguments that are none do not run (trap 10)", async () => {
      const w = world();
      await call(w, [{ tool: "refund", args: JSON.parse('{"amount": 1, "Amount": 5000}') as Record<string, unknown> }]);
      expect(w.ran).toEqual([]);
    });
  });
}
