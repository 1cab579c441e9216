/** Where a rule stands in its source file, as far as the runtime's stack tells. */
import type { Span } from "@saferun/core";

type AnyFunction = (...args: never[]) => unknown;

/** Named where there is no stack to read. */
const NOWHERE: Span = { file: "policy.ts", line: 1, column: 1 };

/** The place that called `above`. Total: without a readable stack, line 1 of `policy.ts`. */
export function callSite(above: AnyFunction): Span {
  const holder: { stack?: unknown } = {};
  const captures = "captureStackTrace" in Error && typeof Error.captureStackTrace === "function";
  if (captures) Error.captureStackTrace(holder, above);
  const stack = captures ? holder.stack : new Error().stack;
  if (typeof stack !== "string") return NOWHERE;
  const frames = stack.split("\n").flatMap((line) => frameOf(line) ?? []);
  // Where the stack cannot be cut, it begins with this function and with `above`.
  return frames[captures ? 0 : 2] ?? NOWHERE;
}

/** `    at name (file:///a/b.ts:1:2)`, the same without a name, and `name@/a/b.ts:1:2`. */
function frameOf(line: string): Span | undefined {
  const found = /^(?:\s*at (?:.*? \()?|[^@]*@)(.+?):(\d+):(\d+)\)?$/.exec(line);
  const [, address, row, column] = found ?? [];
  if (address === undefined || row === undefined || column === undefined) return undefined;
  return { file: nameOf(address), line: Number(row), column: Number(column) };
}

/** The path as one would type it: relative where the file lies below the working directory. */
function nameOf(address: string): string {
  const path = address.startsWith("file://") ? decoded(new URL(address).pathname) : address;
  const directory = typeof process === "undefined" ? "" : process.cwd();
  return directory !== "" && path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
