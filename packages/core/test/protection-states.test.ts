/** What the log says of stops, breakers, raises and grants, against the rows that calls are judged by. */
import {
  createProtectionStates,
  decideApproval,
  type EntryDraft,
  encodePart,
  type Json,
  liftStops,
  PROTECTION_KINDS,
  parseHeader,
  revokeGrant,
  type StateRow,
  stopCalls,
} from "@saferun/core";
import { nodeHash, nodeRandom } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { ANN, asking, BOB, portsOf, terms } from "./people.ts";
import { asked, type World } from "./world.ts";

const admin = { id: "local:ann", kind: "person", roles: ["admin"], local: true } as const;
const call = (at: World, amount: number) =>
  at.gate.call(at.run, { tool: "refund", args: { amount, to: "ann" }, maxWaitMs: 0 }, () => at.ran.push({ amount }));

async function given(at: World): Promise<string> {
  await call(at, 500);
  const { id } = await asked(at);
  const grant = { same: ["to"], forMs: 600_000, count: 3, sum: { path: "amount", most: 100 } };
  await decideApproval(portsOf(at), { approval: id, verdict: "approve", by: ANN, grant });
  expect((await call(at, 10)).status).toBe("ran");
  return id;
}

async function rowsOf({ store }: World): Promise<StateRow[]> {
  const pages = await Promise.all(PROTECTION_KINDS.map((kind) => store.rows({ kind, limit: 1_000 })));
  return pages.flat();
}

async function faultsOf(at: World, rows: readonly StateRow[], archived = false): Promise<string[]> {
  const states = createProtectionStates(archived, nodeHash);
  for (const entry of await at.store.entries({ from: 0, limit: 1_000 })) states.see(entry, parseHeader(entry.header));
  return states.faults(rows).map(({ fault, where }) => `${fault} ${where}`);
}

/** The rows with the members of one kind's first row changed; null removes it. */
function altered(rows: readonly StateRow[], kind: string, change: Readonly<Record<string, Json>> | null): StateRow[] {
  return rows.flatMap((row) => {
    if (row.kind !== kind) return [row];
    return change === null ? [] : [{ ...row, value: { ...(row.value as object), ...change } as Json }];
  });
}

describe("the protections' rows [L3~]", () => {
  it("a grant that was widened, made up or taken back is named; one that has gone is none", async () => {
    const at = asking(terms({ grantable: true }));
    const id = await given(at);
    const rows = await rowsOf(at);
    const where = `grant/${rows.find(({ kind }) => kind === "grant")?.id}`;
    expect(where).toContain(id);
    expect(await faultsOf(at, rows)).toEqual([]);
    expect(await faultsOf(at, altered(rows, "grant", null))).toEqual([]);
    for (const change of [
      { count: 3 },
      { until: at.clock.time + 700_000 },
      { agent: "other" },
      { environment: "dev" },
      { same: [] },
      { sum: null },
      { sum: { path: "amount", left: 101 } },
    ] as const) {
      expect([change, await faultsOf(at, altered(rows, "grant", change))]).toEqual([change, [`changed ${where}`]]);
    }
    expect(await faultsOf(at, altered(rows, "grant", { approval: "appr_forged" }))).toEqual([`inserted ${where}`]);
    const moved = rows.map((row) => (row.kind === "grant" ? { ...row, id: row.id.replace(at.run.id, "run_x") } : row));
    expect(await faultsOf(at, moved)).toEqual([`changed ${where.replace(at.run.id, "run_x")}`]);
    await revokeGrant(portsOf(at), id, { by: BOB, why: "no more" });
    expect(await faultsOf(at, await rowsOf(at))).toEqual([]);
    expect(await faultsOf(at, rows)).toEqual([`inserted ${where}`]);
  });

  it("a stop that was removed, loosened, made up or put back is named", async () => {
    const at = asking(terms({}));
    const ports = portsOf(at);
    const scope = { agent: "other", tool: null, run: null };
    const { id = "" } = await stopCalls(ports, { scope, reason: "wrong orders", by: admin });
    const { id: gone = "" } = await stopCalls(ports, { scope: { ...scope, tool: "mail" }, reason: "late", by: admin });
    const both = await rowsOf(at);
    expect(await faultsOf(at, both)).toEqual([]);
    await liftStops(ports, { id: gone, reason: "fixed", by: admin });
    const rows = await rowsOf(at);
    expect(await faultsOf(at, rows)).toEqual([]);
    expect(await faultsOf(at, altered(rows, "stops", null))).toEqual([`missing stops/${id}`]);
    expect(await faultsOf(at, altered(rows, "stops", { stops: [] }))).toEqual([`missing stops/${id}`]);
    expect(await faultsOf(at, altered(rows, "stops", { epoch: 9 }))).toEqual(["changed stops/board"]);
    expect(await faultsOf(at, both)).toEqual([`inserted stops/${gone}`]);
    const board = rows.flatMap(({ kind, value }) =>
      kind === "stops" ? [value as { stops: Record<string, Json>[] }] : [],
    );
    const [stop] = board.flatMap(({ stops }) => stops);
    for (const change of [
      { scope: { ...scope, run: "run_x" } },
      { reason: "x" },
      { by: "eve" },
      { at: 1 },
      { epoch: 7 },
    ]) {
      const stops = [{ ...stop, ...change }] as Json;
      expect([change, await faultsOf(at, altered(rows, "stops", { stops }))]).toEqual([
        change,
        [`changed stops/${id}`],
      ]);
    }
    const forged = [stop, { ...stop, id: "stop_forged" }] as Json;
    expect(await faultsOf(at, altered(rows, "stops", { stops: forged }))).toEqual(["inserted stops/stop_forged"]);
    // Where the first entries are archived, a stop may be from them; one that was lifted since is not.
    expect(await faultsOf(at, altered(rows, "stops", { stops: forged, epoch: 9 }), true)).toEqual([]);
    expect(await faultsOf(at, both, true)).toEqual([`inserted stops/${gone}`]);
  });

  it("a breaker that was reset by hand, and a limit that nobody raised, are named", async () => {
    const at = asking(terms({}));
    const trip = { cause: "loop", reason: "again and again", by: "loop.exact", at: 5 };
    const change = { breaker: '["run","run_1"]', scope: "run", name: "run_1", to: "stopped", trip };
    const draft = (type: EntryDraft["type"], name: string, value: Json): EntryDraft => ({
      type,
      parts: [{ name, salt: nodeRandom.bytes(32), bytes: encodePart(value) }],
    });
    const act = { pot: "pot_1", amount: "500", reason: "the fair", by: admin };
    await at.store.commit({
      entries: [draft("breaker.stopped", "breaker", change), draft("budget.raised", "act", act)],
    });
    const counts = { held: "0", spent: "0", limit: "100", marked: 0 };
    const row = (kind: StateRow["kind"], id: string, value: Json): StateRow => ({
      kind,
      id,
      version: 1,
      due: null,
      value,
    });
    const pot = (raised: string, more = {}) => row("pot", "pot_1", { id: "pot_1", ...counts, raised, ...more });
    const breaker = row("breaker", change.breaker, { state: "stopped", trip });
    expect(await faultsOf(at, [breaker, pot("500")])).toEqual([]);
    expect(await faultsOf(at, [breaker, pot("700", { lent: "200" })])).toEqual([]);
    expect(await faultsOf(at, [breaker, pot("501")])).toEqual(["changed pot/pot_1"]);
    expect(await faultsOf(at, [breaker, row("pot", "pot_1", null)])).toEqual(["changed pot/pot_1"]);
    expect(await faultsOf(at, [pot("0")])).toEqual([`missing breaker/${change.breaker}`]);
    for (const value of [{ state: "closed" }, { state: "stopped", trip: { ...trip, by: "eve" } }, null] as Json[]) {
      expect(await faultsOf(at, [row("breaker", change.breaker, value)])).toEqual([
        `changed breaker/${change.breaker}`,
      ]);
    }
    const other = row("breaker", "other", { state: "open", opened: 1, until: 5 });
    expect(await faultsOf(at, [breaker, other])).toEqual(["inserted breaker/other"]);
  });
});
