import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "@saferun/core";
import { afterAll, expect, it } from "vitest";
import { openSqliteStore } from "./sqlite-store.ts";

const base = mkdtempSync(join(tmpdir(), "saferun-writer-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

it("refuses what is no data alone: what is asked for beside it is written", async () => {
  const store = openSqliteStore({ directory: join(base, "store") });
  const value: object = { act: () => "no data" };
  const row = { kind: "act", id: "a", version: 1, due: null, value: value as Json } as const;
  const commits = [
    store.commit({ entries: [{ type: "call.lost" }] }),
    store.commit({ entries: [{ type: "call.lost" }], rows: [{ row, expect: null }] }),
    store.commit({ entries: [{ type: "call.lost" }] }),
  ];
  const [first, second, third] = await Promise.allSettled(commits);
  expect(first).toMatchObject({ value: { ok: true, from: 0, to: 1 } });
  expect(second).toMatchObject({ reason: { code: "log.malformed" } });
  expect(third).toMatchObject({ value: { ok: true, from: 1, to: 2 } });
  expect((await store.head()).size).toBe(2);
  await store.close();
});
