/** Recorded content as lines; what is gone or masked is said to be. */
import type { AmountsIn, Content, ErasureNote, Json, JsonObject } from "@saferun/core";
import { printable, short } from "../output/printable.ts";
import { moment } from "../output/time.ts";
import { foldedLeaf, leaf, type TreeFold, treeLines } from "../output/tree.ts";

export interface ContentOptions {
  readonly indent?: string;
  readonly fold?: TreeFold;
  /** What values are to a person: of a call's arguments. */
  readonly amountsIn?: AmountsIn;
}

export function contentLines(
  content: Content | null,
  { indent = "  ", fold, amountsIn }: ContentOptions = {},
): string[] {
  if (content === null) return [`${indent}(none)`];
  switch (content.state) {
    case "present":
      return (
        keptLines(content, indent, fold) ?? [
          ...valueLines(content.value, indent, fold, amountsIn),
          ...maskLines(content.masked, indent),
        ]
      );
    case "encoded": {
      const text = fold === undefined ? printable(content.value) : short(content.value, fold.width);
      return [`${indent}(${content.encoding === "text" ? "no JSON; the nearest text" : content.encoding})  ${text}`];
    }
    case "omitted":
      return [`${indent}(over the limit of the record${content.bytes === null ? "" : `: ${content.bytes} bytes`})`];
    case "sealed":
      return [
        `${indent}(sealed: its key is not beside the store, or it was changed; put \`seal.key\` and \`keys.db\` back)`,
      ];
    case "erased":
      return [`${indent}(erased from the log${erasedText(content.erasure)})`];
    case "missing":
      return [`${indent}(missing from the log, or not readable)`];
  }
}

/** Of what policies have kept as a digest or a shape; undefined for anything else. */
function keptLines(
  { value, masked }: Extract<Content, { state: "present" }>,
  indent: string,
  fold: TreeFold | undefined,
): string[] | undefined {
  if (!masked.includes("") || typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { encoding, sha256, shape } = value as JsonObject;
  if (encoding === "digest")
    return [`${indent}(only a digest is kept${sha256 === undefined ? "" : `: ${leaf(sha256)}`})`];
  if (encoding !== "shape" || shape === undefined) return undefined;
  return [...valueLines(shape, indent, fold), `${indent}(only names and types are kept)`];
}

function valueLines(value: Json, indent: string, fold: TreeFold | undefined, amountsIn?: AmountsIn): string[] {
  const isTree = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  if (isTree)
    return treeLines(value, {
      indent,
      ...(fold === undefined ? {} : { fold }),
      ...(amountsIn === undefined ? {} : { amountAt: amountsIn(value) }),
    });
  return [`${indent}${fold === undefined ? leaf(value) : foldedLeaf(value, fold)}`];
}

/** Where the log holds a mask; nothing for content that is whole. */
export function maskLines(masked: readonly string[], indent: string): string[] {
  if (masked.length === 0) return [];
  return [`${indent}(masked in the record: ${printable(masked.map((path) => path || "all of it").join(", "))})`];
}

function erasedText(erasure: ErasureNote | undefined): string {
  if (erasure === undefined) return "";
  const { at, by, reason, seq } = erasure;
  return ` on ${moment(at)} by ${printable(by)}: ${printable(reason)} (entry ${seq})`;
}
