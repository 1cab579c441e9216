/** The outside of a command: its streams, its account, whether a person sits in front of it. */
import { userInfo } from "node:os";
import type { Readable, Writable } from "node:stream";
import { createStyle, type Style } from "./output/style.ts";

export interface Io {
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Writes to standard output; a line break is added. */
  print(text: string): void;
  /** Writes to standard error; a line break is added. */
  warn(text: string): void;
  /** Writes over the last such line on standard error, nothing leaves it empty; undefined where that is no terminal. */
  readonly progress: ((text: string) => void) | undefined;
  readonly style: Style;
  /** For standard error, which may be a terminal where standard output is none. */
  readonly warnStyle: Style;
  /** True where questions can be asked: input and output are both a terminal. */
  readonly interactive: boolean;
  /** The name of the account, as the operating system knows it. */
  readonly user: string;
}

export function processIo(argv: readonly string[]): Io {
  const { stdin, stdout, stderr, env } = process;
  const wanted = !argv.includes("--no-color") && !env.NO_COLOR && env.TERM !== "dumb";
  return {
    cwd: process.cwd(),
    stdin,
    stdout,
    print: (text) => void stdout.write(`${text}\n`),
    warn: (text) => void stderr.write(`${text}\n`),
    progress: stderr.isTTY === true ? createProgress(stderr) : undefined,
    style: createStyle(wanted && stdout.isTTY === true),
    warnStyle: createStyle(wanted && stderr.isTTY === true),
    interactive: stdin.isTTY === true && stdout.isTTY === true,
    user: accountName(),
  };
}

function createProgress(stream: Writable): (text: string) => void {
  let shown = "";
  return (text) => {
    if (text !== shown) stream.write(`\r\u001b[K${text}`);
    shown = text;
  };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
