/** Plain data → a policy tree, for tests without a YAML parser. All spans are the file's first character. */
import type { Json } from "../../value/json.ts";
import type { PolicyTree, TreeNode } from "../tree.ts";

export function treeOf(file: string, root: Json): PolicyTree {
  const span = { file, line: 1, column: 1 };
  const node = (value: Json): TreeNode => {
    if (value === null || typeof value !== "object") {
      return { kind: "scalar", span, text: String(value), value, segments: [{ offset: 0, line: 1, column: 1 }] };
    }
    if (Array.isArray(value)) return { kind: "list", span, items: value.map(node) };
    return {
      kind: "map",
      span,
      entries: Object.entries(value).map(([key, item]) => ({ key, keySpan: span, value: node(item) })),
    };
  };
  return { file, root: node(root) };
}
