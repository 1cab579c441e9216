/** Calls that were decided on a runtime with other tables: said where it can matter, and nowhere else. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createGate, parseHeader, type RuntimeStamp } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom, nodeStamp, openSqliteStore } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";

const policy = (when: string) => `saferun: policy/v1
environments: { prod: {} }
tools: { t: { kind: write } }
rules: [{ id: all, tool: t, when: '${when}', then: allow }]
`;
const ZONED = 'now.getHours("Europe/Zurich") >= 0';
const NAMED = 'inDomain(host(args.url), "example.com")';
const PLAIN = 'now.getHours("UTC") >= 0 && args.url != ""';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

/** One call, decided on a runtime that says this of itself; the run's id and the call's. */
async function recorded(stamp: RuntimeStamp | undefined): Promise<{ readonly run: string; readonly call: string }> {
  const loaded = loadPolicies([{ file: "p.yaml", text: policy(PLAIN) }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const store = openSqliteStore({ directory: place.store });
  const policies = { current: () => loaded.policies, ...(stamp === undefined ? {} : { stamp }) };
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier: { paused: () => {} } };
  const gate = createGate({ ...ports, policies });
  const run = gate.openRun({ agent: "a", environment: "prod" });
  const args = { url: "https://www.example.com/" };
  const answer = await gate.call(run, { tool: "t", args }, () => "done");
  const [first] = await store
    .entries({ from: 0, limit: 10 })
    .then((all) => all.filter(({ header }) => parseHeader(header).type === "policy.activated"));
  const parts = first?.parts.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes ?? undefined)]);
  expect(parts).toEqual(stamp === undefined ? [] : [["runtime", expect.stringContaining(stamp.calendar)]]);
  await store.close();
  if (answer.status !== "ran") throw new Error(answer.status);
  return { run: run.id, call: answer.permit.callId };
}

/** What `backtest` and `explain` say on standard error, by these policies. */
async function said(when: string, { run, call }: { readonly run: string; readonly call: string }): Promise<string> {
  writeFileSync(join(place.cwd, "policies.yaml"), policy(when));
  const store = ["--store", place.store];
  const tested = await saferun(place, ["backtest", "--policies", "policies.yaml", ...store]);
  const explained = await saferun(place, [
    "explain",
    "--policies",
    "policies.yaml",
    "--run",
    run,
    "--call-id",
    call,
    ...store,
  ]);
  expect([tested.code, explained.code]).toEqual([0, 0]);
  expect(tested.stdout).toContain("1 call judged, 0 with another verdict");
  expect(tested.stderr).toBe(explained.stderr);
  return tested.stderr;
}

describe("the runtime's stamp [P13~]", () => {
  it("another calendar matters to policies with zones, and to no others", async () => {
    const zones = await recorded({ ...nodeStamp, calendar: "1999a" });
    expect(await said(ZONED, zones)).toMatch(/read time zones.*calendar 1999a; here it is calendar 20\d\d[a-z]/);
    expect(await said(PLAIN, zones)).toBe("");
  });

  it("other characters matter to policies that read hosts", async () => {
    const characters = await recorded({ ...nodeStamp, unicode: "3.0" });
    expect(await said(NAMED, characters)).toMatch(/read characters and host names.*Unicode 3\.0, ICU/);
    expect(await said(ZONED, characters)).toBe("");
  });

  it("the same runtime is nothing to speak of, and neither is one that the log does not name", async () => {
    expect(await said(ZONED, await recorded(nodeStamp))).toBe("");
  });

  it("a log without stamps is judged as ever", async () => {
    expect(await said(ZONED, await recorded(undefined))).toBe("");
  });

  it("`saferun check --json` names the tables and which of them are read", async () => {
    writeFileSync(join(place.cwd, "policies.yaml"), policy(`${ZONED} && ${NAMED}`));
    const { runtime, revision } = (await saferun(place, ["check", "--json"])).json();
    expect(runtime).toEqual({ ...nodeStamp, reads: ["calendar", "unicode"] });
    expect(revision).toMatch(/^[0-9a-f]{64}$/);
    expect(nodeStamp).toEqual({
      calendar: expect.stringMatching(/^20\d\d[a-z]$/),
      icu: expect.stringMatching(/^\d+\.\d/),
      unicode: expect.stringMatching(/^\d+\.\d/),
    });
  });
});
