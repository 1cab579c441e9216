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
