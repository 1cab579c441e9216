/** The command in this process, with streams of the test's. */
import { PassThrough } from "node:stream";
import type { Io } from "../src/io.ts";
import { createStyle } from "../src/output/style.ts";
import { runCommandLine } from "../src/program.ts";

/** What a person types, or the size that they give to the window. */
export type Key = string | { readonly rows: number; readonly columns: number };

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  json(): never;
}

/** The command on the store of this directory; `keys` makes it a terminal of 24 lines of 80 columns. */
export function inProcess(cwd: string, args: readonly string[], keys?: readonly Key[]): Promise<Ran> {
  return inPlace(cwd, [...args, "--store", "store"], keys);
}

/** One that has no store. */
export async function inPlace(cwd: string, args: readonly string[], keys?: readonly Key[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const stdin = new PassThrough();
  const stdout = Object.assign(new PassThrough(), { rows: 24, columns: 80 });
  stdout.on("data", (chunk: Buffer) => out.push(chunk.toString()));
  // A person presses the next key once the screen has answered to the last one.
  const left = [...(keys ?? [])];
  stdout.on("data", (chunk: Buffer) => {
    if (!chunk.toString().includes("\u001b[H\u001b[2J")) return;
    const key = left.shift();
    if (key === undefined) stdin.end();
    else if (typeof key === "string") stdin.write(key);
    else {
      Object.assign(stdout, key);
      stdout.emit("resize");
    }
  });
  if (keys === undefined) stdin.end();
  const style = createStyle(false);
  const io: Io = {
    cwd,
    stdin,
    stdout,
    print: (text) => void out.push(`${text}\n`),
    warn: (text) => void err.push(`${text}\n`),
    progress: undefined,
    style,
    warnStyle: style,
    interactive: keys !== undefined,
    user: "tester",
  };
  const exit = await runCommandLine(args, io);
  const text = () => out.join("");
  return { exit, out: text(), err: err.join(""), json: () => JSON.parse(text()) as never };
}
