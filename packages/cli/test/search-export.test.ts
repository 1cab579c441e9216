import { once } from "node:events";
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFileSigner, signingKeyPath } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun, start } from "./saferun.ts";
import { openSample, type Sample } from "./sample.ts";

let place: Place;
let sample: Sample;
const NOTE = '=HYPERLINK("http://evil.example")\nDuplicate charge, again\u2028\u001b[2J';

beforeEach(async () => {
  place = makePlace();
  sample = openSample(place.store);
  const { gate, run, execute } = sample;
  await gate.call(run, { tool: "stripe.refund", args: { amount: 4_500, note: NOTE } }, execute);
  await gate.call(run, { tool: "stripe.refund", args: { amount: 120, note: "late delivery" } }, execute);
  await gate.call(run, { tool: "shell.exec", args: { cmd: "id" } }, execute);
});
afterEach(async () => {
  await sample.store.close();
  place.remove();
});

function log(...args: string[]) {
  return saferun(place, ["log", ...args, "--store", place.store]);
}

interface Found {
  readonly items: readonly {
    readonly seq: number;
    readonly tool: string;
    readonly entries: readonly { type: string }[];
  }[];
  readonly cursor: string | null;
}

async function found(...args: string[]): Promise<Found> {
  return (await log("search", "--json", ...args)).json() as unknown as Found;
}

describe("saferun log search", () => {
  it("[L4~] finds calls by field, argument and text, each with all its entries", async () => {
    const { items } = await found('tool:stripe.* args.amount>1000 "duplicate charge"');
    expect(items).toEqual([
      expect.objectContaining({ tool: "stripe.refund", verdicts: ["allow"], outcome: "succeeded" }),
    ]);
    expect(items[0]?.entries.map(({ type }) => type)).toEqual([
      "call.proposed",
      "call.decided",
      "call.executing",
      "call.finished",
    ]);
    const text = (await log("search", "duplicate")).stdout;
    expect(text).toMatch(/stripe\.refund +allow +succeeded/);
    expect(text).toContain("Duplicate charge, again\\u{2028}\\u{1b}[2J");
    expect((await log("search", "nosuchword")).stdout).toBe("nothing found\n");
  });

  it("goes on page by page, from either end", async () => {
    const first = await found("type:call.proposed", "--limit", "2");
    const second = await found("type:call.proposed", "--limit", "2", "--cursor", first.cursor ?? "");
    const seqs = [...first.items, ...second.items].map(({ seq }) => seq);
    expect(seqs).toHaveLength(3);
    expect(second.cursor).toBeNull();
    expect((await found("type:call.proposed", "--oldest")).items.map(({ seq }) => seq)).toEqual(seqs.toReversed());
  });

  it("saves queries under names, for other queries to narrow", async () => {
    await log("search", "tool:stripe.* OR tool:shell.*", "--save", "risky");
    expect((await log("search", "--views", "--json")).json()).toEqual({
      views: { risky: "tool:stripe.* OR tool:shell.*" },
    });
    expect((await found("--view", "risky")).items).toHaveLength(3);
    expect((await found("--view", "risky", "verdict:deny")).items).toEqual([
      expect.objectContaining({ tool: "shell.exec" }),
    ]);
    expect(statSync(join(place.store, "views.json")).mode & 0o777).toBe(0o600);
    expect(await log("search", "--forget-view", "risky")).toMatchObject({ code: 0 });
    expect(await log("search", "--view", "risky")).toMatchObject({ code: 2, stdout: "" });
    expect(await log("search", "x", "--save", "../risky")).toMatchObject({ code: 3, stdout: "" });
  });

  it("says where a query is wrong, and exits as for wrong usage", async () => {
    const wrong = await log("search", "tol:stripe.refund");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toBe("saferun: query:1:1: unknown field `tol`; did you mean `tool`?\n");
    expect(await log("search", "x", "--cursor", "none")).toMatchObject({ code: 2, stdout: "" });
  });

  it("[L4~] follows: each call once it matches, also one that began before", async () => {
    const { gate, run, execute } = sample;
    const child = start(place, ["log", "search", "outcome:succeeded", "--follow", "--json", "--store", place.store]);
    let text = "";
    child.stdout.on("data", (piece: Buffer) => {
      text += piece.toString();
    });
    const lines = async (count: number): Promise<{ tool: string }[]> => {
      while (text.split("\n").length <= count) await once(child.stdout, "data");
      return text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { tool: string });
    };
    expect((await lines(2)).map(({ tool }) => tool)).toEqual(["stripe.refund", "stripe.refund"]);
    let finish = (): void => {};
    const open = gate.call(run, { tool: "orders.get", args: { id: 1 } }, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return { ok: true };
    });
    await gate.call(run, { tool: "stripe.refund", args: { amount: 1 } }, execute);
    expect((await lines(3)).map(({ tool }) => tool).slice(2)).toEqual(["stripe.refund"]);
    finish();
    await open;
    expect((await lines(4)).map(({ tool }) => tool).slice(3)).toEqual(["orders.get"]);
    child.kill();
    await once(child, "close");
  });
});

describe("saferun log export", () => {
  const file = () => join(place.cwd, "log.jsonl");
  const key = () => createFileSigner(signingKeyPath(place.store)).vkey;

  it("[L5~] writes a file that verifies without the store, by the key alone", async () => {
    await sample.store.close();
    expect(await log("export", "--out", file())).toMatchObject({ code: 0, stdout: "" });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file()}.resume`)).toBe(false);
    const verify = (...args: string[]) => saferun(place, ["log", "verify", "--export", file(), ...args]);
    expect((await verify("--pin", key(), "--json")).json()).toMatchObject({
      status: "verified",
      unsigned: 0,
      faults: [],
    });
    expect((await verify()).stdout).toMatch(/^self-consistent, signer not proven/);
    writeFileSync(file(), readFileSync(file(), "utf8").replace("late delivery", "late deliverx"));
    const changed = await verify("--pin", key());
    expect(changed).toMatchObject({ code: 1 });
    expect(changed.stdout).toMatch(/entry \d+: changed \(arguments\)/);
    expect(await log("export", "--out", file())).toMatchObject({ code: 2 });
  });

  it("[L5~] goes on where it was cut off, to the same file in the end", async () => {
    await sample.store.close();
    await log("export", "--out", file());
    const whole = readFileSync(file());
    const [head] = whole.toString().split("\n", 1);
    truncateSync(file(), Math.floor(whole.length / 2));
    writeFileSync(`${file()}.resume`, JSON.stringify({ format: "jsonl", unsealed: false, now: Date.now(), head }));
    expect(await log("export", "--out", file())).toMatchObject({ code: 2 });
    expect(await log("export", "--out", file(), "--format", "csv", "--resume")).toMatchObject({ code: 2 });
    expect(await log("export", "--out", file(), "--resume")).toMatchObject({ code: 0 });
    expect(readFileSync(file()).equals(whole)).toBe(true);
    expect(existsSync(`${file()}.resume`)).toBe(false);
    expect((await log("export", "--out", file(), "--resume")).stderr).toContain("is complete");
  });

  it("[L5~] CSV holds no formula and one line a record (trap 23)", async () => {
    const { gate, run, execute } = sample;
    await gate.call(run, { tool: "=cmd|' /C calc'!A0", args: {} }, execute);
    const { stdout } = await log("export", "--format", "csv");
    const lines = stdout.split("\r\n");
    expect(lines.pop()).toBe("");
    // One for the names of the columns, none for the entry that says who exported.
    expect(lines).toHaveLength((await sample.store.head()).size);
    expect(stdout.replaceAll("\r\n", "")).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}/u);
    for (const line of lines) for (const cell of cells(line)) expect(cell).not.toMatch(/^\s*[=+\-@]/);
    const note = lines.flatMap(cells).find((cell) => cell.includes("HYPERLINK"));
    expect(JSON.parse(note ?? "")).toMatchObject({ arguments: { amount: 4_500 } });
  });
});

/** RFC 4180. */
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, bare = ""]) =>
    quoted === undefined ? bare : quoted.replaceAll('""', '"'),
  );
}
