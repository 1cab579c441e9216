import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import stringWidth from "fast-string-width";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inProcess, type Key } from "./in-process.ts";
import { openSample, type Sample } from "./sample.ts";

let directory = "";
let sample: Sample;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-stepper-"));
  sample = openSample(join(directory, "store"));
});
afterEach(async () => {
  await sample.store.close();
  rmSync(directory, { recursive: true, force: true });
});

const call = (tool: string, args: object, result: unknown = { ok: true }) =>
  sample.gate.call(sample.run, { tool, args }, (permit) => {
    sample.execute(permit);
    return result;
  });

/** One screen for the start and one for each key, as lines. */
async function screens(...keys: Key[]): Promise<string[][]> {
  const { exit, out } = await inProcess(directory, ["replay", sample.run.id], [...keys, "q"]);
  expect(exit).toBe(0);
  const drawn = out.split("\u001b[H\u001b[2J").slice(1);
  return drawn.map((screen) => stripVTControlCharacters(screen).split("\r\n"));
}

const at = (screen: readonly string[] | undefined) => /^>\s+(\d+)\./m.exec(screen?.join("\n") ?? "")?.[1];
const typing = (text: string): Key[] => [...text];

describe("saferun replay on a terminal", () => {
  it("[R2~] says what the keys do when it is asked, and goes back", async () => {
    await call("orders.get", { id: 17 });
    const [before, help, after] = await screens("?", "x");
    expect(before?.at(-1)).toContain("? help");
    expect(help?.join("\n")).toMatch(/\[Keys\]\n.*→ or j[\s\S]*PgUp[\s\S]*\/ words Enter/);
    expect(after).toEqual(before);
  });

  it("[R2~] searches the steps: tools, rules, arguments and results, on and back, round the end", async () => {
    await call("orders.get", { order: "W-17" });
    await call("stripe.refund", { amount: 400 }, { note: "paid to Ada" });
    await call("shell.exec", { cmd: "id" });
    const found = async (words: string, ...more: Key[]) => {
      const drawn = await screens("/", ...typing(words), "\r", ...more);
      return drawn.slice(words.length + 2).map((screen) => [at(screen), screen.at(-1)]);
    };
    expect(await found("ADA")).toEqual([["2", expect.stringContaining("found `ADA`")]]);
    expect((await found("unmatched:prod"))[0]?.[0]).toBe("3");
    expect((await found("w-17"))[0]).toEqual(["1", expect.stringContaining("nowhere else")]);
    expect((await found("r", "n", "n", "N")).map(([step]) => step)).toEqual(["2", "3", "1", "3"]);
    expect(await found("no such thing")).toEqual([["1", expect.stringContaining("stands in no step")]]);
    // Letters that are keys elsewhere are letters here; what is typed can be taken back, and given up.
    const [, , , , typed, taken, left] = await screens("/", "q", "g", "n", "\u007f", "\u001b");
    expect([typed?.at(-1), taken?.at(-1)]).toEqual(["/qgn", "/qg"]);
    expect(left?.at(-1)).toContain("q quit");
  });

  it("[R2~] fits the window, whatever its size becomes, and shows of long values all that there is", async () => {
    const words = Array.from({ length: 120 }, (_, index) => `word${index}`).join(" ");
    await call("orders.get", { words, wide: "東京".repeat(60), hostile: "\u001b[2J\u202e\r\n" });
    const down: Key[] = Array.from({ length: 40 }, () => "\u001b[B");
    const drawn = await screens(
      { rows: 20, columns: 60 },
      ...down,
      { rows: 10, columns: 40 },
      { rows: 50, columns: 200 },
    );
    const sizes = [[24, 80], ...[...down, ""].map(() => [20, 60]), [10, 40], [50, 200]] as const;
    for (const [index, screen] of drawn.entries()) {
      const [rows = 0, columns = 0] = sizes[index] ?? [];
      expect(screen.length).toBeLessThanOrEqual(rows);
      for (const line of screen) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
      expect(screen.join("")).not.toMatch(/\u202e|\u001b/);
    }
    const seen = drawn.map((screen) => screen.join(" ")).join(" ");
    for (let index = 0; index < 120; index++) expect(seen).toMatch(new RegExp(`word${index}\\b`));
  });

  it("[R2~] scrolls through a value of a megabyte, and says how much is left", async () => {
    await call("orders.get", { id: 1 }, { text: "x".repeat(900_000) });
    const drawn = await screens("\t", "\t", "\u001b[6~", "\u001b[6~");
    expect(drawn.at(-1)?.at(-1)).toMatch(/\d{4,} more lines/);
  });

  it("[R2~] ends with Ctrl-C, also while words are typed", async () => {
    await call("orders.get", { id: 17 });
    for (const keys of [["\u0003"], ["/", "a", "\u0003"]]) {
      const { exit, out } = await inProcess(directory, ["replay", sample.run.id], keys);
      expect([exit, out.endsWith("\u001b[?7h\u001b[?25h\u001b[?1049l")]).toEqual([0, true]);
      expect(out.split("\u001b[2J")).toHaveLength(keys.length + 1);
    }
  });
});
