/** Arguments as a tree that a person can read: one value a line, every value whole unless the caller folds. */
import { type AmountAt, type Json, type JsonObject, memberPath } from "@saferun/core";
import { printable } from "./printable.ts";

export interface TreeOptions {
  /** Top-level names that come first, as paths. They order, they hide nothing. */
  readonly first?: readonly string[];
  /** A remark behind the value at a path, such as `may be edited`. */
  readonly remark?: (path: string) => string;
  /** What a value is to a person, such as `$4,500.00`: it stands first, and the value itself beside it. */
  readonly amountAt?: AmountAt;
  readonly indent?: string;
  /** How much of a list, a map and a text is shown, and what shows the rest. Never where somebody decides. */
  readonly fold?: TreeFold;
}

export interface TreeFold {
  /** Of a list or map. */
  readonly items: number;
  /** Of a text, in characters. */
  readonly width: number;
  readonly hint: string;
}

export function treeLines(value: Json, options: TreeOptions = {}): string[] {
  const { indent = "  ", first = [], remark = () => "", amountAt = () => undefined, fold } = options;
  const lines: string[] = [];
  const roots = first.map((path) => /^[^.[]+/.exec(path)?.[0] ?? path);
  walk(value, "", indent);
  return lines.length > 0 ? lines : [`${indent}(no arguments)`];

  function walk(node: Json, path: string, space: string): void {
    const children = childrenOf(node, path);
    if (path === "") children.sort((a, b) => rank(a.name) - rank(b.name));
    // One more is no shorter folded.
    const shown = fold !== undefined && children.length > fold.items + 1 ? children.slice(0, fold.items) : children;
    const width = Math.min(24, Math.max(0, ...shown.map(({ name }) => name.length)));
    for (const child of shown) {
      const label = child.name.padEnd(width);
      const inner = isTree(child.value)
        ? ""
        : `  ${withAmount(leafText(child.value), amountAt(child.path, child.value))}`;
      const said = remark(child.path);
      lines.push(`${space}${inner === "" ? child.name : label}${inner}${said === "" ? "" : `  ${said}`}`);
      if (isTree(child.value)) walk(child.value, child.path, `${space}  `);
    }
    const rest = children.length - shown.length;
    if (rest > 0) lines.push(`${space}… and ${rest} more; ${fold?.hint}`);
  }

  function leafText(value: Json): string {
    return fold === undefined ? leaf(value) : foldedLeaf(value, fold);
  }

  function rank(name: string): number {
    const place = roots.indexOf(name);
    return place < 0 ? roots.length : place;
  }
}

/** A leaf as JSON, so that `"1"` and `1` differ, with what is invisible written out. */
export function leaf(value: Json | undefined): string {
  return value === undefined ? "(absent)" : printable(JSON.stringify(value));
}

export function foldedLeaf(value: Json, { width, hint }: TreeFold): string {
  const text = leaf(value);
  return text.length <= width ? text : `${text.slice(0, width).toWellFormed()}… (${text.length} characters; ${hint})`;
}

/** `$4,500.00 (450000)`: money as money, and what runs. */
export function withAmount(raw: string, amount: string | undefined): string {
  return amount === undefined ? raw : `${amount} (${raw})`;
}

/** Any other key stands in quotes, so that none can look like a key with its value, an index, or words of ours. */
const PLAIN_KEY = /^[\p{L}\p{N}_$-]+$/u;

function childrenOf(node: Json, path: string): { name: string; path: string; value: Json }[] {
  if (Array.isArray(node)) {
    return node.map((value: Json, index) => ({ name: `[${index}]`, path: memberPath(path, index), value }));
  }
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node as JsonObject).map(([key, value]) => ({
    name: PLAIN_KEY.test(key) ? key : printable(JSON.stringify(key)),
    path: memberPath(path, key),
    value,
  }));
}

function isTree(value: Json): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}
