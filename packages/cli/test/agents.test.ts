/** Agents whose names are no plain words, on the command line and through the API of `saferun dev`. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { agentId, stopsInForce } from "@saferun/core";
import { nodeHash } from "@saferun/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makePlace, type Place, saferun, start } from "./saferun.ts";
import { openSample, POLICY, type Sample } from "./sample.ts";

const HELPER = "Refund Helper";
const HOSTILE = `Mailer \u202e<b>${"x".repeat(300)}`;
const idOf = (name: string): string => agentId(name, nodeHash);

let place: Place;
let sample: Sample;
const runs = new Map<string, string>();

beforeEach(async () => {
  place = makePlace();
  sample = openSample(place.store);
  for (const agent of [HELPER, HOSTILE, "support"]) {
    const run = sample.gate.openRun({ agent, environment: "prod" });
    runs.set(agent, run.id);
    for (let call = 0; call <= (agent === HELPER ? 1 : 0); call++)
      await sample.gate.call(run, { tool: "orders.get", args: { id: `${call}` } }, sample.execute);
  }
});
afterEach(async () => {
  await sample.store.close();
  place.remove();
});

const called = (agent: string) =>
  sample.gate.call(
    sample.gate.openRun({ agent, environment: "prod" }),
    { tool: "orders.get", args: {} },
    sample.execute,
  );

it("runs are listed and shown under the agent's name, its hidden characters written out", async () => {
  const { stdout } = await saferun(place, ["runs", "--store", place.store]);
  expect(stdout).toMatch(/Refund Helper +prod/);
  expect(stdout).toContain("Mailer \\u{202e}<b>x");
  expect(stdout).not.toContain("\u202e");
  const listed = (await saferun(place, ["runs", "--store", place.store, "--json"])).json().runs as object[];
  expect(listed.map((run) => Object.entries(run).filter(([key]) => key.startsWith("agent")))).toEqual(
    ["support", HOSTILE, HELPER].map((name) => [
      ["agent", name],
      ["agent_id", idOf(name)],
    ]),
  );
  for (const asked of [HELPER, idOf(HELPER)]) {
    const only = (await saferun(place, ["runs", "--agent", asked, "--store", place.store, "--json"])).json().runs;
    expect(only).toMatchObject([{ id: runs.get(HELPER) }]);
  }
  const none = await saferun(place, ["runs", "--agent", "refund helper", "--store", place.store]);
  expect(none.stdout).toBe("no runs of this agent\n");
  const one = await saferun(place, ["runs", runs.get(HELPER) ?? "", "--store", place.store]);
  expect(one.stdout).toContain("agent Refund Helper in prod");
  const replayed = await saferun(place, ["replay", runs.get(HELPER) ?? "", "--store", place.store]);
  expect(replayed.stdout).toContain("agent Refund Helper in prod");
  const found = await saferun(place, [
    "log",
    "search",
    `agent:"${HELPER}" outcome:succeeded`,
    "--store",
    place.store,
    "--json",
  ]);
  expect((found.json().items as { run: string }[]).map(({ run }) => run)).toEqual([runs.get(HELPER), runs.get(HELPER)]);
});

it("[B6~] a stop takes the name or the id, and stops that agent alone", async () => {
  const stop = (agent: string) =>
    saferun(place, ["stop", "--agent", agent, "--reason", "wrong orders", "--store", place.store, "--json"]);
  const before = sample.ran.length;
  expect((await stop(HELPER)).json()).toMatchObject({ scope: { agent: HELPER }, not_seen: [] });
  expect((await stop(idOf(HOSTILE))).json()).toMatchObject({ scope: { agent: HOSTILE }, not_seen: [] });
  for (const agent of [HELPER, HOSTILE]) expect((await called(agent)).status).toBe("denied");
  expect(sample.ran).toHaveLength(before);
  expect((await called("support")).status).toBe("ran");
  expect((await stop("Refund  Helper")).json()).toMatchObject({
    not_seen: [{ what: "agent", name: "Refund  Helper" }],
  });
});

it("an id whose name was erased stops nothing, and says so", async () => {
  const erased = await saferun(place, [
    ...["log", "erase", "--run", runs.get(HELPER) ?? "", "--reason", "asked for", "--store", place.store],
  ]);
  expect(erased.code).toBe(0);
  const { code, stderr } = await saferun(place, [
    ...["stop", "--agent", idOf(HELPER), "--reason", "wrong orders", "--store", place.store],
  ]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("no longer tells whose id")]);
  expect(await stopsInForce(sample.store)).toEqual([]);
  const { stdout } = await saferun(place, ["runs", "--store", place.store]);
  expect(stdout).toContain(idOf(HELPER).slice(0, 20));
  expect(stdout).not.toContain(HELPER);
});

it("the API lists each as itself, with its runs and calls, and filters, finds and stops by name and by id", async () => {
  writeFileSync(join(place.cwd, "policies.yaml"), POLICY);
  const child = start(place, ["dev", "--port", "0", "--json", "--no-open", "--store", place.store]);
  try {
    const { url, token } = await devOf(child);
    const ask = async (path: string, body?: object): Promise<Record<string, never>> => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const init = body === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(body) };
      const answer = await fetch(new URL(path, url), init);
      return (await answer.json()) as Record<string, never>;
    };
    const agents = (await ask("/v1/agents")).agents as unknown as Record<string, unknown>[];
    const seen = agents.map(({ agent, agent_id, named, runs, counts }) => [agent, agent_id, named, runs, counts]);
    const counts = (calls: number) => expect.objectContaining({ calls, allowed: calls });
    expect(new Set(seen.map(([, id]) => id)).size).toBe(3);
    expect(seen).toEqual(
      expect.arrayContaining([
        [HELPER, idOf(HELPER), true, 1, counts(2)],
        [HOSTILE, idOf(HOSTILE), true, 1, counts(1)],
        ["support", "support", true, 1, counts(1)],
      ]),
    );
    // What rules say is asked for the name, which they go by.
    const { access } = await ask("/v1/access");
    expect(new Set((access as unknown as { agent: string }[]).map(({ agent }) => agent))).toEqual(
      new Set([...runs.keys()]),
    );
    for (const asked of [HELPER, idOf(HELPER)]) {
      const listed = (await ask(`/v1/runs?agent=${encodeURIComponent(asked)}`)).runs as unknown as object[];
      expect(listed).toMatchObject([{ id: runs.get(HELPER), agent: HELPER, agent_id: idOf(HELPER) }]);
    }
    const q = encodeURIComponent(`agent:"${HELPER}" type:call.finished`);
    const { items } = await ask(`/v1/log?q=${q}&limit=10&order=newest`);
    expect(items).toMatchObject([{ agent: HELPER }, { agent: HELPER }]);
    const scope = { agent: HOSTILE, tool: null, run: null };
    expect(await ask("/v1/stops", { scope, reason: "wrong" })).toMatchObject({ id: expect.any(String) });
    await ask("/v1/stops", { scope: { ...scope, agent: idOf(HELPER) }, reason: "wrong" });
    expect((await stopsInForce(sample.store)).map(({ scope: { agent } }) => agent)).toEqual([HOSTILE, HELPER]);
    const before = sample.ran.length;
    for (const agent of [HELPER, HOSTILE]) expect((await called(agent)).status).toBe("denied");
    expect(sample.ran).toHaveLength(before);
    expect((await called("support")).status).toBe("ran");
  } finally {
    child.kill("SIGINT");
    await once(child, "close");
  }
});

async function devOf(child: ChildProcessWithoutNullStreams): Promise<{ readonly url: string; readonly token: string }> {
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const said = JSON.parse(line) as { url: string; token_file: string };
  return { url: said.url, token: (JSON.parse(readFileSync(said.token_file, "utf8")) as { token: string }).token };
}
