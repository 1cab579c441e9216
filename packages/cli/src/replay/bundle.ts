/** `saferun replay RUN --bundle FILE`: a run's entries with what proves them, for somebody who has no store. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type BundledEntry, formatBundle, inclusionPath, parseCheckpoint, parseNote, type Store } from "@saferun/core";
import { rotationsToNow } from "@saferun/store";
import { failed, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { claimedKey } from "../log/claimed-key.ts";
import { signedNodes } from "../log/signed-nodes.ts";
import { printable } from "../output/printable.ts";
import { evidencePage } from "./evidence-page.ts";
import type { LoadedRun } from "./load.ts";

/** A name that ends in `.html` gets a page that verifies itself. @throws CommandError while entries of the run are not signed yet. */
export async function writeBundle(io: Io, store: Store, loaded: LoadedRun, file: string): Promise<number> {
  const text = await bundleText(store, loaded);
  try {
    const content = /\.html?$/i.test(file) ? evidencePage(text) : text;
    writeFileSync(resolve(io.cwd, file), content, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "EEXIST") throw usage(`\`${printable(file)}\` is there already; name a new file`);
    throw failed("file.unreadable", `\`${printable(file)}\` could not be written (${code})`);
  }
  return loaded.entries.length;
}

/** @param store With its entries as they are stored. @throws CommandError while entries of the run are not signed yet. */
export async function bundleText(store: Store, { summary, entries }: LoadedRun): Promise<string> {
  const bundled: BundledEntry[] = [];
  // One checkpoint for all, whoever signs meanwhile.
  const note = (await store.checkpoints()).at(-1)?.note ?? "";
  const signed = parseCheckpoint(parseNote(note)?.text ?? "");
  if (signed === undefined) throw usage("the log has no checkpoint yet: `saferun log checkpoint` signs what there is");
  const last = entries.at(-1)?.seq ?? 0;
  if (last >= signed.size)
    throw usage(`entry ${last} is not signed yet: \`saferun log checkpoint\` signs what there is`);
  const nodes = await signedNodes(store, signed);
  for (const entry of entries) {
    bundled.push({ entry, path: await nodes.hashes(inclusionPath(entry.seq, nodes.size)) });
  }
  const rotations = await rotationsToNow(store);
  const key = (await claimedKey(store)) ?? null;
  return formatBundle({ log: store.logId, run: summary.id, key, note, rotations, entries: bundled });
}
