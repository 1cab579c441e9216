/** Paths as texts. Links in the file system are the tool's business: this compares what is written. */
import { Fault } from "../issues.ts";
import { hasDisguisedMark, hasInvisible } from "./hidden.ts";

const LONGEST = 4_096;

/**
 * Whether a path is `root` or lies below it. A path without a leading `/` counts from `base`.
 * A path with a second reading is an error: `..`, `.` or nothing between slashes, a backslash, an encoded character, a drive,
 * a home, an option, a variable, a name that ends in a dot or a blank, another normal form, a root that differs in case only.
 */
export function pathWithin(path: string, root: string, base: string | null, offset: number): boolean | Fault {
  const top = folder(root);
  const start = base === null ? null : folder(base);
  if (!isPlainPath(top) || (start !== null && !isPlainPath(start))) {
    return new Fault("`within` needs a root such as `/srv/data`, whole and without `..`", offset);
  }
  const whole = path.startsWith("/") || start === null ? path : `${start === "/" ? "" : start}/${path}`;
  if (start === null && !path.startsWith("/") && isPlainPath(`/${path}`)) {
    return new Fault("`within` of a relative path needs a third argument: the folder from which it counts", offset);
  }
  if (!isPlainPath(whole) || /^(?:[~-]|[A-Za-z]:)/.test(path)) {
    return new Fault(
      "`within` needs a plain path: no `..`, `.`, `//`, backslash, encoding, variable or blank end",
      offset,
    );
  }
  if (liesBelow(whole, top)) return true;
  // On a file system that ignores case it would lie inside.
  if (!liesBelow(folded(whole), folded(top))) return false;
  return new Fault("`within` of a path that differs from the root in letter case only", offset);
}

/** A folder as an author writes it: one `/` at its end is nothing. */
function folder(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function liesBelow(path: string, root: string): boolean {
  return path === root || root === "/" || path.startsWith(`${root}/`);
}

function folded(path: string): string {
  return path.toUpperCase().toLowerCase().normalize("NFKC");
}

/** Absolute, and written in the only way there is. */
function isPlainPath(path: string): boolean {
  if (path === "/") return true;
  if (path.length > LONGEST || !path.startsWith("/") || hasInvisible(path) || hasDisguisedMark(path)) return false;
  if (/[\\$`\t\n\r]|%[0-9A-Fa-f]{2}/.test(path) || path !== path.normalize("NFC")) return false;
  return path
    .slice(1)
    .split("/")
    .every((name) => name !== "" && !/[. ]$/.test(name) && !name.startsWith(" "));
}
