/** Results that are files: to `--out`, which must not exist, or to standard output. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Option } from "commander";
import { failed } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";

export interface OutOptions {
  readonly out?: string;
}

export function outOption(): Option {
  return new Option("-o, --out <file>", "write to a new file instead of standard output");
}

/** @throws CommandError for a file that exists or cannot be written: evidence is never written over. */
export function writeOut(io: Io, { out }: OutOptions, text: string): void {
  if (out === undefined) {
    io.print(text.replace(/\n$/, ""));
    return;
  }
  try {
    writeFileSync(resolve(io.cwd, out), text, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const why = code === "EEXIST" ? "it exists: name another one" : String(code ?? error);
    throw failed("file.unwritable", `\`${printable(out)}\` cannot be written: ${why}`);
  }
}
