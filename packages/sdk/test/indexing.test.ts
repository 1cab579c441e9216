/** The search index beside the gate: nothing waits for it, nothing fails by it, and every process ends. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { openSearch } from "@saferun/store";
import { afterAll, describe, expect, it } from "vitest";

const root = mkdtempSync(join(tmpdir(), "saferun-indexing-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const script = fileURLToPath(new URL("./indexed-process.ts", import.meta.url));
const FLAGS = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
const POLICY = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
tools:
  note: { kind: read }
rules:
  - { id: note.any, tool: note, then: allow }
`;

let count = 0;
function place(): string {
  const directory = join(root, `place-${count++}`);
  mkdirSync(directory);
  writeFileSync(join(directory, "p.yaml"), POLICY);
  return directory;
}

async function ended(directory: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [...FLAGS, script, directory, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const code = new Promise((resolve) => child.on("close", (...how) => resolve(how)));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return {
    how: await code,
    ran: out.split("\n").filter(Boolean),
    warned: errors.match(/is not kept up/g)?.length ?? 0,
  };
}

async function foundIn(directory: string, query: string): Promise<{ readonly found: number; readonly behind: number }> {
  const search = await openSearch({ directory: join(directory, "store") });
  const { items } = search.search({ query, limit: 50, now: Date.now() });
  search.close();
  return { found: items.length, behind: search.behind };
}

describe("the search index beside the gate", () => {
  it("a process that wrapped a tool and never called it ends by itself", async () => {
    expect(await ended(place(), "0")).toEqual({ how: [0, null], ran: [], warned: 0 });
  });

  it.each(["none", "exit"])("[L4~] finds what was called, and the process ends (%s)", async (end) => {
    const directory = place();
    expect(await ended(directory, "2", end, "1200")).toMatchObject({
      how: [0, null],
      ran: ["lavender0", "lavender1", "afterwards"],
    });
    expect(existsSync(join(directory, "store", "search.db"))).toBe(true);
    expect(await foundIn(directory, "lavender1 verdict:allow")).toMatchObject({ found: 1 });
  });

  it.each([
    ["cannot be written", (index: string) => mkdirSync(index)],
    ["is no database", (index: string) => writeFileSync(index, "no database at all".repeat(100))],
  ])("one that %s is said once at most, and every call runs", async (_what, spoil) => {
    const directory = place();
    mkdirSync(join(directory, "store"), { mode: 0o700 });
    spoil(join(directory, "store", "search.db"));
    const { how, ran, warned } = await ended(directory, "1", "none", "1500");
    expect({ how, ran }).toEqual({ how: [0, null], ran: ["lavender0", "afterwards"] });
    expect(warned).toBeLessThanOrEqual(1);
    expect(await foundIn(directory, "lavender0")).toMatchObject({ found: 1 });
  });

  it("one that another program keeps locked holds up no call and no end", async () => {
    const directory = place();
    mkdirSync(join(directory, "store"), { mode: 0o700 });
    const other = new DatabaseSync(join(directory, "store", "search.db"));
    other.exec("BEGIN EXCLUSIVE");
    const { how, ran } = await ended(directory, "1", "shutdown", "1000");
    expect({ how, ran }).toEqual({ how: [0, null], ran: ["lavender0", "afterwards"] });
    other.exec("ROLLBACK");
    other.close();
    expect((await foundIn(directory, "lavender0")).found).toBe(1);
  });
});
