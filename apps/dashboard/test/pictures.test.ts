/** The README's pictures can be taken from the demo as it is, and each is one that the README shows. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PICTURES = fileURLToPath(new URL("pictures.ts", import.meta.url));
const README = fileURLToPath(new URL("../../../README.md", import.meta.url));
const PNG = "89504e47";

it("takes each of the README's pictures", async () => {
  const taken = mkdtempSync(join(tmpdir(), "saferun-taken-"));
  try {
    const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
    const taking = spawn(process.execPath, [...flags, PICTURES, taken], { stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    taking.stderr.on("data", (piece: Buffer) => {
      told += piece.toString();
    });
    const [code] = await once(taking, "close");
    expect([code, told]).toEqual([0, ""]);
    const shown = readFileSync(README, "utf8").matchAll(/docs\/assets\/([\w-]+\.png)/g);
    expect(readdirSync(taken).sort()).toEqual([...shown].map(([, name]) => name).sort());
    for (const name of readdirSync(taken)) {
      expect(readFileSync(join(taken, name)).subarray(0, 4).toString("hex")).toBe(PNG);
    }
  } finally {
    rmSync(taken, { recursive: true, force: true });
  }
}, 120_000);
