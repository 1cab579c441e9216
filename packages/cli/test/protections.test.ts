import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, type Sample } from "./sample.ts";

let place: Place;
let sample: Sample;
beforeEach(() => {
  place = makePlace();
  sample = openSample(place.store);
});
afterEach(async () => {
  await sample.store.close();
  place.remove();
});

const run = (...args: string[]) => saferun(place, [...args, "--store", place.store]);
const call = (tool: string, args: object) => sample.gate.call(sample.run, { tool, args }, sample.execute);

describe("saferun stop, resume", () => {
  it("[B6~] stops what it names in the running gate, and lifts it with a reason", async () => {
    await call("orders.get", { id: 1 });
    expect(await run("stop")).toMatchObject({ code: 2 });
    expect(await run("stop", "--all", "--agent", "support", "--reason", "x")).toMatchObject({ code: 2 });
    expect((await run("stop", "--agent", "support")).stderr).toContain("say why");
    const stopped = await run("stop", "--agent", "support", "--reason", "wrong orders\u001b[2J");
    expect(stopped).toMatchObject({ code: 0, stderr: "" });
    const [, id = ""] = /(stop_\w+)/.exec(stopped.stdout) ?? [];
    expect(await call("orders.get", { id: 2 })).toMatchObject({ status: "denied", denial: { rules: ["stop:agent"] } });
    expect(sample.ran).toHaveLength(1);
    const list = await run("stop", "--list");
    expect(list.stdout).toContain(id);
    expect(list.stdout).toContain("wrong orders\\u{1b}[2J");
    expect((await run("resume", id.slice(0, 12))).code).toBe(2);
    expect(await run("resume", "stop_ffff", "--reason", "x")).toMatchObject({ code: 1 });
    expect((await run("resume", id, "--reason", "fixed")).stdout).toBe("lifted: agent support\n");
    expect((await call("orders.get", { id: 3 })).status).toBe("ran");
    expect((await run("stop", "--list")).stdout).toBe("nothing is stopped\n");
  });

  it("of everything is lifted by the account that the store belongs to", async () => {
    await call("orders.get", { id: 1 });
    const { id } = (await run("stop", "--all", "--reason", "drill", "--json")).json();
    expect((await call("orders.get", { id: 2 })).status).toBe("denied");
    expect((await run("resume", String(id), "--reason", "over", "--json")).json()).toEqual({ id, lifted: true });
    expect((await call("orders.get", { id: 3 })).status).toBe("ran");
  });
});

describe("a stop whose name nothing has", () => {
  it("holds, says that it may stop nothing, and names what was meant", async () => {
    await call("orders.get", { id: 1 });
    const agent = await run("stop", "--agent", "suport", "--reason", "x");
    expect(agent).toMatchObject({ code: 0, stdout: expect.stringContaining("stopped: agent suport") });
    expect(agent.stderr).toBe(
      "the record knows no agent `suport`, so that this may stop nothing; did you mean `support`?\n",
    );
    const tool = await run("stop", "--tool", "orders.gte", "--reason", "x", "--json");
    expect(tool.json()).toMatchObject({ not_seen: [{ what: "tool", name: "orders.gte", suggestion: "orders.get" }] });
    expect((await run("stop", "--run", "run_nowhere", "--reason", "x")).stderr).toContain("no run `run_nowhere`");
    expect((await call("orders.get", { id: 2 })).status).toBe("ran");
    expect(await run("stop", "--tool", "orders.get", "--reason", "x")).toMatchObject({ code: 0, stderr: "" });
    expect((await call("orders.get", { id: 3 })).status).toBe("denied");
  });

  it("takes the start of a run's id for the run, as every other command does", async () => {
    await call("orders.get", { id: 1 });
    const stopped = await run("stop", "--run", sample.run.id.slice(0, 12), "--reason", "x");
    expect(stopped).toMatchObject({ stderr: "", stdout: expect.stringContaining(`run ${sample.run.id} `) });
    expect((await call("orders.get", { id: 2 })).status).toBe("denied");
    expect(sample.ran).toHaveLength(1);
  });
});

describe("saferun breakers", () => {
  it("says which breaker there is none of", async () => {
    await call("orders.get", { id: 1 });
    const none = await run("breakers", "reset", "agent:nobody", "--reason", "x");
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("no breaker `agent:nobody`") });
  });

  it("[B7~] shows what tripped and why, and resets it with a reason only", async () => {
    for (let n = 0; n < 3; n++) await call("orders.get", { id: 1 });
    expect((await run("breakers")).stdout).toBe("all breakers are closed\n");
    for (let n = 0; n < 2; n++) expect((await call("orders.get", { id: 1 })).status).toBe("denied");
    expect((await call("orders.get", { id: 2 })).status).toBe("denied");
    const shown = await run("breakers");
    expect(shown.stdout).toContain(`run:${sample.run.id}`);
    expect(shown.stdout).toContain("loop: A call that was refused as a repetition was made once more.");
    expect((await run("breakers", "reset", `run:${sample.run.id}`)).code).toBe(2);
    expect((await run("breakers", "reset", "agent:support", "--reason", "x")).code).toBe(1);
    expect((await run("breakers", "reset", "run:", "--reason", "looked at it")).code).toBe(0);
    expect((await call("orders.get", { id: 2 })).status).toBe("ran");
    expect(sample.ran).toHaveLength(4);
  });
});

describe("saferun budgets", () => {
  it("[B3~] shows what is spent, raises a limit with a reason, and agrees with its holds", async () => {
    expect((await run("budgets")).stdout).toBe("no budget has been used yet\n");
    for (const amount of [5_000, 4_000]) expect((await call("stripe.refund", { amount })).status).toBe("ran");
    const shown = await run("budgets");
    expect(shown.stdout).toContain("$90.00 of $10,000.00");
    expect((await run("budgets", "--json")).json()).toMatchObject({
      pots: [{ budget: "refunds", key: ["support"], window: "ever", spent: "9000", held: "0", limit: "1000000" }],
      holds: [],
    });
    expect((await run("budgets", "raise", "1", "--by", "1e3", "--reason", "x")).code).toBe(2);
    expect((await run("budgets", "raise", "7", "--by", "1", "--reason", "x")).code).toBe(3);
    expect((await run("budgets", "raise", "1", "--by", "500", "--reason", "quarter end")).stdout).toContain(
      "$10,005.00",
    );
    expect((await run("budgets", "audit")).stdout).toContain("1 pots, 2 holds");
  });

  it("a call whose outcome nobody knows holds until a person says what became of it", async () => {
    const broken = () => {
      throw new Error("the line broke");
    };
    const lost = await sample.gate.call(sample.run, { tool: "stripe.refund", args: { amount: 100 } }, broken);
    const id = lost.status === "threw" ? lost.permit.callId : "";
    expect((await run("budgets")).stdout).toContain("1 call holds");
    expect((await run("budgets", "reconcile", id, "--ran", "--did-not-run", "--reason", "x")).code).toBe(2);
    expect((await run("budgets", "reconcile", id, "--did-not-run", "--reason", "no such refund")).code).toBe(0);
    expect((await run("budgets", "reconcile", id, "--ran", "--reason", "changed my mind")).code).toBe(1);
    expect((await run("budgets", "--json")).json()).toMatchObject({ pots: [{ spent: "0", held: "0" }], holds: [] });
    expect((await sample.store.call(id))?.state).toBe("failed");
    expect((await run("log", "verify")).code).toBe(0);
  });
});
