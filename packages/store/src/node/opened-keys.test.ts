import { expect, it } from "vitest";
import { OpenedKeys } from "./opened-keys.ts";

const known = (id: string) => ({ id, key: Buffer.alloc(32, 7) });

it("believes a key as long as nobody else has written, and overwrites what it forgets", () => {
  let version = 1;
  const opened = new OpenedKeys(() => version);
  const [one, other] = [known("one"), known("other")];
  expect(opened.ofId("one")).toBeUndefined();
  opened.add(one, "of ann");
  opened.add(other);
  opened.addTie("of ann of run");
  expect(opened.ofId("one")).toBe(one);
  expect(opened.ofScope("of ann")).toBe(one);
  expect(opened.ofScope("other")).toBeUndefined();
  expect(opened.hasTie("of ann of run")).toBe(true);
  version = 2;
  expect(opened.ofScope("of ann")).toBeUndefined();
  expect([opened.ofId("one"), opened.ofId("other"), opened.hasTie("of ann of run")]).toEqual([
    undefined,
    undefined,
    false,
  ]);
  expect([one.key, other.key]).toEqual([Buffer.alloc(32), Buffer.alloc(32)]);
});

it("holds no more than 256, and overwrites the one that was opened longest ago", () => {
  const opened = new OpenedKeys(() => 1);
  expect(opened.ofId("first")).toBeUndefined();
  const first = known("first");
  opened.add(first, "scope");
  for (let index = 0; index < 256; index++) opened.add(known(`key ${index}`), `scope ${index}`);
  expect([opened.ofId("first"), opened.ofScope("scope")]).toEqual([undefined, undefined]);
  expect(first.key).toEqual(Buffer.alloc(32));
  expect(opened.ofId("key 255")?.key).toEqual(Buffer.alloc(32, 7));
});
