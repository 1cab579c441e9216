import { DatabaseSync } from "node:sqlite";
import type { Json } from "@saferun/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { prepareSchema } from "./schema.ts";
import { StateTable } from "./state-table.ts";

type Lists = { readonly [name: string]: Json };

/** How a row's lists change from one write to the next: mostly they grow. */
const item = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.tuple(fc.string(), fc.record({ at: fc.nat() })));
const step = fc.record({
  name: fc.constantFrom("acts", "counts", "recent"),
  how: fc.constantFrom("push", "push", "push", "replace", "slide", "clear"),
  at: fc.nat(),
  item,
});

function stepped(lists: Lists, { name, how, at, item }: typeof step extends fc.Arbitrary<infer Step> ? Step : never) {
  const list = (lists[name] ?? []) as readonly Json[];
  const value = item as Json;
  const next = {
    push: () => [...list, value],
    replace: () => (list.length === 0 ? [value] : list.with(at % list.length, value)),
    slide: () => [...list.slice(1), value],
    clear: () => [],
  };
  return { ...lists, [name]: next[how]() };
}

it("writes each row as JSON, whatever of it was written before", () => {
  const db = new DatabaseSync(":memory:");
  prepareSchema(db, () => "log");
  const table = new StateTable(db);
  const written = db.prepare("SELECT value FROM state WHERE kind = 'run' AND id = 'r'");
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      let lists: Lists = {};
      for (const one of steps) {
        lists = stepped(lists, one);
        const value = { history: lists, usd: { held: "0" } };
        table.put("run", "r", value, null);
        table.keep();
        table.flush();
        expect(written.get()?.value).toBe(JSON.stringify(value));
      }
    }),
  );
  db.close();
});

it("puts back what a request has written that comes to nothing, however often it wrote it", () => {
  const db = new DatabaseSync(":memory:");
  prepareSchema(db, () => "log");
  const table = new StateTable(db);
  const rows = () => db.prepare("SELECT id, version, value FROM state WHERE kind = 'pot' ORDER BY id").all();
  table.put("pot", "a", { spent: 1 }, null);
  table.keep();
  table.put("pot", "a", { spent: 2 }, null);
  table.put("pot", "a", { spent: 3 }, 7);
  table.put("pot", "b", { spent: 1 }, null);
  expect([table.get("pot", "a"), table.versionOf("pot", "b")]).toEqual([{ spent: 3 }, 1]);
  table.drop();
  expect([table.get("pot", "a"), table.get("pot", "b"), table.versionOf("pot", "b")]).toEqual([
    { spent: 1 },
    undefined,
    null,
  ]);
  table.flush();
  expect(rows()).toEqual([{ id: "a", version: 1, value: '{"spent":1}' }]);
  table.put("pot", "a", null, null);
  table.drop();
  table.put("pot", "a", { spent: 4 }, null);
  table.keep();
  table.flush();
  expect(rows()).toEqual([{ id: "a", version: 2, value: '{"spent":4}' }]);
  // A row that went away behind this connection was changed by somebody: nothing is said to be written.
  db.exec("DELETE FROM state");
  table.put("pot", "a", { spent: 5 }, null);
  table.keep();
  expect(() => table.flush()).toThrow(/was changed/);
  db.close();
});
