import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  cosignedAt,
  type EntryDraft,
  formatWitnessKey,
  parseCheckpoint,
  parseNote,
  parseWitnessKey,
} from "@saferun/core";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { signRequest } from "../src/anchors/aws-signature.ts";
import {
  type Anchor,
  createCheckpointer,
  createFileAnchor,
  createFileSigner,
  createLineAnchor,
  createMemoryStore,
  createObjectStoreAnchor,
  createWitness,
  createWitnessAnchor,
  nodeHash,
  nodeVerifier,
  notesOfAnchor,
  parseAnchors,
  verifyStore,
} from "../src/index.ts";
import { bucket, closeServers, openWitness } from "./loopback.ts";

const base = mkdtempSync(join(tmpdir(), "saferun-anchors-"));
const signer = createFileSigner(join(base, "log.key"));
const call: EntryDraft = { type: "call.lost", call: "c" };
let count = 0;
const fresh = () => join(base, String(count++));

afterEach(closeServers);
afterAll(() => rmSync(base, { recursive: true, force: true }));

function openWith(anchors: readonly Anchor[], errors: unknown[] = []) {
  const below = createMemoryStore();
  return { below, store: createCheckpointer(below, signer, { anchors, onError: (error) => errors.push(error) }) };
}

const sizes = (notes: readonly string[] | undefined) =>
  notes?.map((text) => parseCheckpoint(parseNote(text)?.text ?? "")?.size);

describe("anchors [L3~]", () => {
  it("a file and lines get every checkpoint, and verify takes either", async () => {
    const file = fresh();
    const lines: string[] = [];
    const { below, store } = openWith([createFileAnchor(file), createLineAnchor("lines", (line) => lines.push(line))]);
    await store.commit({ entries: [call] });
    expect(await store.anchor()).toBe(2);
    await store.commit({ entries: [call, call] });
    expect(await store.anchor()).toBe(4);
    expect(sizes(notesOfAnchor(readFileSync(file, "utf8")))).toEqual([2, 4]);
    const syslog = lines.map((line) => `Nov 22 09:10:16 host agent[17]: ${line}`).join("\n");
    expect(sizes(notesOfAnchor(syslog))).toEqual([2, 4]);
    expect(notesOfAnchor("nothing of the kind\n")).toBeUndefined();
    const kept = notesOfAnchor(syslog) ?? [];
    expect(await verifyStore(below, { pinned: signer.vkey, kept })).toMatchObject({
      status: "verified",
      anchoredUpTo: 4,
    });
    const other = openWith([]);
    await other.store.commit({ entries: [call, call, call, call] });
    await other.store.checkpoint();
    expect((await verifyStore(other.below, { pinned: signer.vkey, kept })).status).toBe("faulty");
  });

  it("hold up neither commits nor signatures, and are made up for", async () => {
    const errors: unknown[] = [];
    const notes: number[] = [];
    let broken = true;
    const anchor: Anchor = {
      name: "now and then",
      publish: async ({ size, note }) => {
        if (broken) throw new Error("unreachable");
        notes.push(size);
        return note;
      },
    };
    const { below, store } = openWith([anchor], errors);
    await store.commit({ entries: [call] });
    await store.checkpoint();
    expect((await below.checkpoints()).map(({ size }) => size)).toEqual([2]);
    await expect(store.anchor()).rejects.toThrow("unreachable");
    broken = false;
    expect(await store.anchor()).toBe(2);
    expect(notes).toEqual([2]);
    expect(errors.length).toBeGreaterThan(0);
    await store.close();
    await expect(openWith([]).store.anchor()).rejects.toMatchObject({ code: "record.unavailable" });
  });

  it("get the last checkpoint of an idle log again, by the heartbeat", async () => {
    const seen: number[] = [];
    let beat: () => void = () => {};
    const twice = new Promise<void>((resolve) => {
      beat = resolve;
    });
    const anchor = createLineAnchor("lines", (line) => {
      seen.push(sizes(notesOfAnchor(line))?.[0] ?? 0);
      if (seen.length === 3) beat();
    });
    const store = createCheckpointer(createMemoryStore(), signer, { anchors: [anchor], heartbeatMs: 10 });
    await store.commit({ entries: [call] });
    await store.checkpoint();
    const alive = setInterval(() => {}, 1_000);
    await twice;
    clearInterval(alive);
    expect(seen.slice(0, 3)).toEqual([2, 2, 2]);
    await store.close();
  });

  it("are read from text, and what is none is refused", () => {
    const key = formatWitnessKey(signer, nodeHash);
    const environment = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
    const text = `witness+https://w.example/#${key} file:///mnt/worm/log s3://logs/agent?region=eu-central-1 stdout:`;
    expect(parseAnchors(text, environment).map(({ name }) => name)).toEqual([
      `witness ${signer.name}`,
      "file /mnt/worm/log",
      "object store logs",
      "stdout",
    ]);
    expect(parseAnchors("", {})).toEqual([]);
    for (const bad of ["ftp://x", "nothing", "s3://logs/x", "witness+https://w.example/#no-key"]) {
      expect(() => parseAnchors(bad, {})).toThrow(expect.objectContaining({ code: "option.invalid" }));
    }
  });
});

describe("a witness [L3~]", () => {
  const witness = (logs: readonly string[] = [signer.vkey], directory = fresh()) =>
    openWitness({ logs, directory, signer: createFileSigner(fresh(), "witness.example/w1") });

  it("cosigns a log that grows, and the file behind it holds its signature", async () => {
    const { url, key } = await witness();
    const file = fresh();
    const { below, store } = openWith([createWitnessAnchor({ url, key }), createFileAnchor(file)]);
    for (const size of [2, 3, 4]) {
      await store.commit({ entries: [call] });
      expect(await store.anchor()).toBe(size);
    }
    const notes = notesOfAnchor(readFileSync(file, "utf8")) ?? [];
    expect(sizes(notes)).toEqual([2, 3, 4]);
    const witnessKey = parseWitnessKey(key, nodeHash);
    for (const text of notes) {
      const note = parseNote(text);
      if (note === undefined) throw new Error("not a note");
      expect(cosignedAt(note, witnessKey, nodeVerifier)).toBeGreaterThan(1_700_000_000);
    }
    expect(await verifyStore(below, { pinned: signer.vkey, kept: notes })).toMatchObject({ anchoredUpTo: 4 });
    // A restarted log asks for the size, and goes on.
    const again = createCheckpointer(below, signer, { anchors: [createWitnessAnchor({ url, key })] });
    await again.commit({ entries: [call] });
    expect(await again.anchor()).toBe(5);
  });

  it("does not sign a log that was cut back or written anew", async () => {
    const { url, key } = await witness();
    const first = openWith([createWitnessAnchor({ url, key })]);
    await first.store.commit({ entries: [call, call, call] });
    expect(await first.store.anchor()).toBe(4);
    for (const entries of [1, 3, 7]) {
      const anew = openWith([createWitnessAnchor({ url, key })]);
      await anew.store.commit({ entries: Array.from({ length: entries }, () => call) });
      await expect(anew.store.anchor()).rejects.toMatchObject({ code: "record.unavailable" });
    }
  });

  it("answers as the protocol says", async () => {
    const stranger = createFileSigner(fresh());
    const { server } = await witness();
    const { below, store } = openWith([]);
    await store.commit({ entries: [call, call] });
    await store.checkpoint();
    const [{ note = "" } = {}] = await below.checkpoints();
    const status = (body: string) => server.addCheckpoint(body).status;
    expect(status("")).toBe(400);
    expect(status(`old 01\n\n${note}`)).toBe(400);
    expect(status(`old 9\n\n${note}`)).toBe(400);
    expect(status(`old 0\n\n${note.replaceAll(signer.name, stranger.name)}`)).toBe(404);
    expect(status(`old 0\n\n${note.replace("\n3\n", "\n4\n")}`)).toBe(403);
    expect(status(`old 0\n${Buffer.alloc(32).toString("base64")}\n\n${note}`)).toBe(422);
    expect(server.addCheckpoint(`old 1\n\n${note}`)).toMatchObject({
      status: 409,
      contentType: "text/x.tlog.size",
      body: "0\n",
    });
    expect(status(`old 0\n\n${note}`)).toBe(200);
    expect(server.addCheckpoint(`old 0\n\n${note}`)).toMatchObject({ status: 409, body: "3\n" });
    expect(status(`old 3\n\n${note}`)).toBe(200);
    await store.commit({ entries: [call] });
    await store.checkpoint();
    const next = (await below.checkpoints()).at(-1)?.note ?? "";
    expect(status(`old 3\n${Buffer.alloc(32).toString("base64")}\n\n${next}`)).toBe(422);
  });

  it("is not believed with another signature than its own, nor without its memory", async () => {
    const honest = await witness();
    const liar = await witness();
    const { store } = openWith([createWitnessAnchor({ url: liar.url, key: honest.key })]);
    await store.commit({ entries: [call] });
    await expect(store.anchor()).rejects.toMatchObject({ code: "record.unavailable" });
    const { url, key, directory } = await witness();
    const mine = openWith([createWitnessAnchor({ url, key })]);
    await mine.store.commit({ entries: [call] });
    await mine.store.anchor();
    const memory = createHash("sha256").update(signer.name).digest("hex");
    writeFileSync(join(directory, `witnessed-${memory}`), "damaged");
    const { server } = { server: createWitness({ directory, signer: createFileSigner(fresh()), logs: [signer.vkey] }) };
    const note = (await mine.below.checkpoints())[0]?.note ?? "";
    expect(() => server.addCheckpoint(`old 0\n\n${note}`)).toThrow(expect.objectContaining({ code: "record.corrupt" }));
  });
});

describe("an object store [L3~]", () => {
  it("gets requests signed as AWS's own example is (S3 API reference, signature version 4, PUT object)", () => {
    const signed = signRequest(
      {
        method: "PUT",
        url: new URL("https://examplebucket.s3.amazonaws.com/test%24file.text"),
        headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
        body: "Welcome to Amazon S3.",
      },
      { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
      "us-east-1",
      Date.UTC(2013, 4, 24),
    );
    expect(signed.authorization).toContain(
      "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
  });

  it("keeps each checkpoint as an object under lock, and never another one in its place", async () => {
    const { objects, problems, options } = await bucket();
    const anchor = () => createObjectStoreAnchor(options);
    const { below, store } = openWith([anchor()]);
    await store.commit({ entries: [call] });
    expect(await store.anchor()).toBe(2);
    await store.commit({ entries: [call] });
    expect(await store.anchor()).toBe(3);
    // The same again, as after a restart.
    expect(await createCheckpointer(below, signer, { anchors: [anchor()] }).anchor()).toBe(3);
    expect(problems).toEqual([]);
    expect([...objects.keys()]).toEqual(
      [2, 3].map((size) => `/logs/saferun/${store.logId}/${String(size).padStart(15, "0")}`),
    );
    const kept = [...objects.values()];
    expect(await verifyStore(below, { pinned: signer.vkey, kept })).toMatchObject({ anchoredUpTo: 3 });
    for (const path of objects.keys()) objects.set(path, "something else");
    await expect(createCheckpointer(below, signer, { anchors: [anchor()] }).anchor()).rejects.toMatchObject({
      code: "record.unavailable",
    });
  });
});
