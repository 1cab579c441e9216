/** Over which store `saferun dev` opens its page: one that is there, the one of this directory, or one that it was told to make. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makePlace, type Place, saferun, start } from "./saferun.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const DEV = ["dev", "--port", "0", "--no-open", "--json"] as const;

/** Until it says where it listens; then it is ended. */
async function opens(...more: readonly string[]): Promise<boolean> {
  const child = start(place, [...DEV, ...more]);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  child.kill("SIGINT");
  await once(child, "close");
  return typeof (JSON.parse(line) as { url?: unknown }).url === "string";
}

it("a store that was named and is not there is said, and not made", async () => {
  const { code, stderr } = await saferun(place, [...DEV, "--store", "./saferum"]);
  expect(code).toBe(3);
  expect(stderr).toContain("there is no store at `./saferum`: compare the spelling");
  expect(existsSync(join(place.cwd, "saferum"))).toBe(false);
});

it("the store of the directory is made where there is none, another one when asked to", async () => {
  expect(await opens()).toBe(true);
  expect(existsSync(join(place.cwd, ".saferun", "log.db"))).toBe(true);
  expect(await opens("--store", "./elsewhere", "--new")).toBe(true);
  expect(await opens("--store", "./elsewhere")).toBe(true);
});

it("a place that can hold no store is said, too", async () => {
  const { code, stderr } = await saferun(place, [...DEV, "--store", "/proc/saferun", "--new"]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/record\.unavailable|\/proc\/saferun/);
});
