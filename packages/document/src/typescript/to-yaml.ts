/** A policy written in TypeScript → the text of a file that decides the same. */
import { type PolicyIssue, SafeRunError, type ScalarNode, type TreeNode } from "@saferun/core";
import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { formatIssue } from "../format-issue.ts";
import { HIDDEN } from "../hidden.ts";
import type { Policy } from "./policy.ts";

/**
 * @throws SafeRunError `policy.invalid` for a policy that does not load, and for one with a condition that is a function: no
 * file can hold it.
 */
export function toYaml({ tree, issues }: Policy): string {
  const refused = [...issues, ...opaqueIn(tree.root)];
  if (refused.length > 0) {
    throw new SafeRunError("policy.invalid", refused.map((issue) => formatIssue(issue)).join("\n"), {
      details: { issues: refused },
    });
  }
  const document = new Document(nodeOf(tree.root), { version: "1.2", schema: "core" });
  const text = document.toString({
    lineWidth: 0,
    flowCollectionPadding: false,
    doubleQuotedMinMultiLineLength: 1_000_000_000,
  });
  // They stand inside double quotes only, where an escape means the same and can be seen.
  return text.replace(new RegExp(HIDDEN.source, "g"), (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function nodeOf(node: TreeNode): Scalar | YAMLMap | YAMLSeq {
  switch (node.kind) {
    case "scalar":
      return scalarOf(node.value);
    case "list": {
      const list = new YAMLSeq();
      list.items = node.items.map(nodeOf);
      list.flow = node.items.every((item) => item.kind === "scalar");
      return list;
    }
    case "map": {
      const map = new YAMLMap();
      map.items = node.entries.map(({ key, value }) => new Pair(scalarOf(key), nodeOf(value)));
      map.flow = node.entries.length === 0;
      return map;
    }
  }
}

/** Line ends and hidden characters are written as escapes, so that a text is one line and shows what it holds. */
function scalarOf(value: ScalarNode["value"]): Scalar {
  const scalar = new Scalar(value);
  if (typeof value === "string" && (/[\n\r\t]/.test(value) || HIDDEN.test(value))) scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

function opaqueIn(node: TreeNode): readonly PolicyIssue[] {
  if (node.kind === "list") return node.items.flatMap(opaqueIn);
  if (node.kind === "map") return node.entries.flatMap(({ value }) => opaqueIn(value));
  if (node.opaque === undefined) return [];
  const message = "the condition is a function, which no file can hold; write it in CEL";
  return [{ code: "not-analysable", severity: "error", ...node.span, message }];
}
