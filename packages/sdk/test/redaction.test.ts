/** A planted secret, looked for in every file of a store and its export, in every form. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatExportLine, parseHeader } from "@saferun/core";
import { openReadOnlySqliteStore, startSearchIndex } from "@saferun/store";
import { MockLanguageModelV4 } from "ai/test";
import { afterEach, beforeEach, expect, it } from "vitest";
import { shutdown } from "../src/embedded.ts";
import { type PausedCall, saferun } from "../src/index.ts";

const SECRET = "correct-horse/battery+staple";
const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { login: { kind: write }, fail: { kind: write } }
rules:
  - { id: ask, tool: login, then: pause, approval: { editable: [user] } }
  - { id: fail.any, tool: fail, then: allow }
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-redaction-"));
  writeFileSync(join(root, "policies.yaml"), POLICY);
});
afterEach(async () => {
  await shutdown();
  rmSync(root, { recursive: true, force: true });
});

/** The secret in each form, and a piece of each. */
function forms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const inside = [0, 1, 2].map((count) =>
    Buffer.concat([Buffer.alloc(count), bytes])
      .toString("base64")
      .slice(4, -4),
  );
  return [
    secret,
    bytes.toString("base64"),
    bytes.toString("base64url"),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    encodeURIComponent(secret),
    ...inside,
    ...secret.split(/[/+]/),
  ];
}

function traces(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap(({ parentPath, name }) => {
      const bytes = readFileSync(join(parentPath, name));
      return forms(SECRET).flatMap((form) => (bytes.includes(form) ? [`${name}: ${form}`] : []));
    });
}

it("[L6~] a planted secret is in no file of the store: tables, free pages, WAL, index, export", async () => {
  const directory = join(root, "store");
  const saw: unknown[] = [];
  const options = {
    policies: [join(root, "policies.yaml")],
    store: directory,
    environment: "prod",
    run: { prompt: `log in with ${SECRET}`, principal: { id: "ann" }, context: { token: SECRET } },
    redact: { secrets: () => [SECRET] },
    onPause: async (call: PausedCall) => {
      // People and the tool meet the exact arguments.
      saw.push(call.args);
      await call.approve({ by: "bea", args: { ...call.args, user: "anna" }, note: `with ${SECRET}, as usual` });
    },
  };
  const { tools } = saferun.wrap(
    {
      tools: {
        login: async (args: { user: string; password: string; header: string }) => {
          saw.push(args);
          return {
            basic: `Basic ${Buffer.from(`u:${args.password}`).toString("base64")}`,
            url: `?p=${encodeURIComponent(SECRET)}`,
          };
        },
        fail: async ({ hex }: { hex: string }) => {
          throw new Error(`no such key ${hex}`);
        },
      },
    },
    options,
  );
  const args = { user: "ann", password: SECRET, header: Buffer.from(`x${SECRET}`).toString("base64url") };
  const result = await tools.login(args);
  expect(saw).toEqual([args, { ...args, user: "anna" }]);
  expect(JSON.stringify(result)).toContain(encodeURIComponent(SECRET));
  await expect(tools.fail({ hex: Buffer.from(SECRET).toString("hex") })).rejects.toThrow();
  await tools.fail({ bad: Number.NaN, hex: SECRET } as never);

  const chunks = [SECRET.slice(0, 9), SECRET.slice(9)];
  const model = saferun.model(
    new MockLanguageModelV4({
      doStream: async () => ({
        stream: new ReadableStream({
          start(controller) {
            controller.enqueue({ type: "text-start", id: "1" });
            for (const delta of chunks) controller.enqueue({ type: "text-delta", id: "1", delta });
            controller.enqueue({ type: "text-end", id: "1" });
            controller.close();
          },
        }),
      }),
    }),
    options,
  );
  const { stream } = await model.doStream({ prompt: [{ role: "user", content: [{ type: "text", text: SECRET }] }] });
  for await (const _ of stream);

  const follower = startSearchIndex({ directory });
  while ((await follower.position()).indexed < (await follower.position()).size);
  await follower.close();
  await shutdown();

  expect(traces(directory)).toEqual([]);
  const store = openReadOnlySqliteStore({ directory });
  const entries = await store.entries({ from: 0, limit: 1_000 });
  const exported = entries.map((entry) => formatExportLine({ kind: "entry", entry })).join("\n");
  for (const form of forms(SECRET)) expect(exported).not.toContain(form);
  // It was there to be found: the entries say where.
  const types = entries
    .filter(({ parts }) => parts.some(({ name }) => name === "redacted"))
    .map(({ header }) => parseHeader(header).type);
  expect(types).toEqual(
    expect.arrayContaining([
      "run.started",
      "call.proposed",
      "approval.decided",
      "call.finished",
      "model.requested",
      "model.responded",
    ]),
  );
  await store.close();
});
