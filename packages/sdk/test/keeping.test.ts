/** How content is kept: the tool and the people meet all of it, the record what the policies let it keep. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Json, type JsonObject, parseHeader } from "@saferun/core";
import {
  eraseFromStore,
  openReadOnlySqliteStore,
  openSearch,
  openSqliteStore,
  verifyStoreAndTables,
} from "@saferun/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { shutdown } from "../src/embedded.ts";
import { type PausedCall, saferun } from "../src/index.ts";

let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-keeping-"));
  directory = join(root, "store");
});
afterEach(async () => {
  await shutdown();
  rmSync(root, { recursive: true, force: true });
});

const EDITED = { to: "Quetzalcoatl street", lines: [{ sku: "sparrow" }, { sku: "wren", count: 2 }] };
const PROPOSED = { ...EDITED, to: "Xiuhtecuhtli street" };
const RESULT = { tracking: "lavender-1776" };

/** One call that a person edits, and one that throws. What the tools saw. */
async function play(keys: string, run: object = {}): Promise<unknown[]> {
  writeFileSync(
    join(root, "p.yaml"),
    `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools:
  ship: { kind: write, ${keys} }
  fail: { kind: read, ${keys} }
rules:
  - { id: ask, tool: ship, then: pause, approval: { editable: [to] } }
  - { id: fail.any, tool: fail, then: allow }
`,
  );
  const saw: unknown[] = [];
  const { tools } = saferun.wrap(
    {
      tools: {
        ship: async (args: JsonObject) => {
          saw.push(args);
          return RESULT;
        },
        fail: async (args: JsonObject) => {
          saw.push(args);
          throw new Error("no Quetzalcoatl here");
        },
      },
    },
    {
      policies: [join(root, "p.yaml")],
      store: directory,
      environment: "prod",
      run,
      onPause: (call: PausedCall) => {
        saw.push(call.args);
        return call.approve({ by: "bea", args: EDITED });
      },
    },
  );
  expect(await tools.ship(PROPOSED)).toMatchObject(RESULT);
  await expect(tools.fail({ to: "Xiuhtecuhtli" })).rejects.toThrow("no Quetzalcoatl");
  // No call at all, and still what somebody wrote; one that would pass for what is kept of a call.
  await tools.ship({ to: "Quetzalcoatl", encoding: "shape", nan: 1n } as never);
  await tools.ship({ to: "Quetzalcoatl", nan: Number.NaN } as never);
  return saw;
}

async function parts(name: string): Promise<Json[]> {
  const store = openReadOnlySqliteStore({ directory });
  try {
    const entries = await store.entries({ from: 0, limit: 1_000 });
    return entries.flatMap((entry) =>
      entry.parts.flatMap((part) => (part.name === name ? [JSON.parse(Buffer.from(part.bytes ?? []).toString())] : [])),
    );
  } finally {
    await store.close();
  }
}

function traces(...words: readonly string[]): string[] {
  return readdirSync(directory).flatMap((name) => {
    const bytes = readFileSync(join(directory, name));
    const inBase64 = words.map((word) => Buffer.from(word).toString("base64").slice(0, -4));
    return [...words, ...inBase64].flatMap((word) => (bytes.includes(word) ? [`${name}: ${word}`] : []));
  });
}

async function found(query: string): Promise<number> {
  const search = await openSearch({ directory });
  try {
    return search.search({ query, limit: 100, now: Date.now() }).items.length;
  } finally {
    search.close();
  }
}

async function faults(): Promise<unknown> {
  const store = openReadOnlySqliteStore({ directory });
  try {
    return (await verifyStoreAndTables(store)).faults;
  } finally {
    await store.close();
  }
}

const shape = (inner: Json): Json => ({ encoding: "shape", shape: inner });
const SHAPE = shape({ to: "string", lines: [{ sku: "string" }, { sku: "string", count: "number" }] });

it("[L6~] `record: shape` keeps names and types; the tool and the person met the values (trap 4)", async () => {
  const saw = await play("record: shape");
  expect(saw).toEqual([PROPOSED, EDITED, { to: "Xiuhtecuhtli" }]);
  await shutdown();
  expect(await parts("arguments")).toEqual([SHAPE, SHAPE, shape({ to: "string" })]);
  expect(await parts("result")).toEqual([shape({ tracking: "string" })]);
  expect(await parts("error")).toEqual([shape({ name: "string", message: "string" })]);
  // For whoever judges or replays it, that is a mask.
  expect(await parts("redacted")).toContainEqual({ arguments: [""] });
  await found("anything");
  expect(traces("Quetzalcoatl", "Xiuhtecuhtli", "lavender", "sparrow")).toEqual([]);
  expect(await faults()).toEqual([]);
});

it("[L6~] `record: digest` keeps a digest alone", async () => {
  const saw = await play("record: digest");
  expect(saw).toEqual([PROPOSED, EDITED, { to: "Xiuhtecuhtli" }]);
  await shutdown();
  const sha256 = createHash("sha256").update(JSON.stringify(RESULT)).digest("hex");
  expect(await parts("result")).toEqual([{ encoding: "digest", sha256 }]);
  await found("anything");
  expect(traces("Quetzalcoatl", "Xiuhtecuhtli", "lavender", "sparrow")).toEqual([]);
  expect(await faults()).toEqual([]);
});

it("[L4~] `search: off` keeps a tool's words out of the index, and in the log", async () => {
  await play("search: off");
  await shutdown();
  expect(await found("Quetzalcoatl")).toBe(0);
  expect(await found('"lavender 1776" OR lavender')).toBe(0);
  expect(await found("args.to:*")).toBe(0);
  expect(await found("tool:ship verdict:pause")).toBe(1);
  expect(traces("uetzalcoatl", "avender").filter((trace) => trace.startsWith("search"))).toEqual([]);
  expect(traces("uetzalcoatl", "avender")).not.toEqual([]);
});

it("[L4~] `search: { off: [path] }` hides that argument, `index` answers for another", async () => {
  await play("search: { off: [args.to] }, index: ['lines[].sku']");
  await shutdown();
  expect(await found("Xiuhtecuhtli")).toBe(0);
  expect(await found("args.to:*")).toBe(0);
  expect(await found("lavender wren")).toBe(1);
  expect(await found("args.lines[].sku:wren")).toBe(1);
  expect(traces("iuhtecuhtli").filter((trace) => trace.startsWith("search"))).toEqual([]);
});

it("[L6~] `subject` says whose data a call holds: an erasure finds it, whoever the run was for", async () => {
  await play("subject: args.to", { principal: { id: "clerk" } });
  await shutdown();
  const store = openSqliteStore({ directory });
  const target = { subject: PROPOSED.to };
  await expect(eraseFromStore(store, { target: { subject: "nobody" }, reason: "r", by: "b" })).rejects.toMatchObject({
    code: "option.invalid",
  });
  await eraseFromStore(store, { target, reason: "request 118", by: "bea" });
  await store.close();
  expect(traces("lavender", "iuhtecuhtli street", "sparrow")).toEqual([]);
  // The other calls of the run stay.
  expect(await parts("error")).toMatchObject([{ message: "no Quetzalcoatl here" }]);
  expect(await faults()).toEqual([]);
});

it("a store that does not see to it refuses the entry, and nothing runs", async () => {
  const store = openSqliteStore({ directory });
  const entry = {
    type: "call.proposed" as const,
    keep: { record: "shape" as const, unsearched: [], subject: null },
    parts: [{ name: "arguments", salt: new Uint8Array(32), bytes: new TextEncoder().encode("{}") }],
  };
  await expect(store.commit({ entries: [entry] })).rejects.toMatchObject({ code: "log.malformed" });
  expect((await store.head()).size).toBe((await store.entries({ from: 0, limit: 9 })).length);
  expect((await store.entries({ from: 0, limit: 9 })).map(({ header }) => parseHeader(header).type)).not.toContain(
    "call.proposed",
  );
  await store.close();
});
