/** What a front end (YAML text, TypeScript rules) delivers: a generic tree that knows where each piece stands. */
import type { Span } from "../decision.ts";
import type { OpaqueTest } from "./opaque.ts";

/** A tree is one file's worth of policy. */
export interface PolicyTree {
  readonly file: string;
  readonly root: TreeNode;
}

export type TreeNode = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: "map";
  readonly span: Span;
  /** In the order of the file; keys are unique, which the front end checks. */
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: TreeNode;
}

export interface ListNode {
  readonly kind: "list";
  readonly span: Span;
  readonly items: readonly TreeNode[];
}

export interface ScalarNode {
  readonly kind: "scalar";
  readonly span: Span;
  /** As written in the source, without quotes. */
  readonly text: string;
  readonly value: null | boolean | number | string;
  /** Where pieces of `value` stand in the source, by rising `offset`; the first has offset 0. */
  readonly segments: readonly Segment[];
  /** The comment on the same line, without its `#`: half a condition may have ended up there. */
  readonly comment?: string;
  /** A condition that is a function; `value` is then a CEL call that names it, and is never evaluated. */
  readonly opaque?: OpaqueTest;
}

/** From `offset` in the value on, one code unit of the value is one column of the source. */
export interface Segment {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** Where the code unit `offset` of a scalar's value stands in its file. */
export function spanAt(node: ScalarNode, offset: number): Span {
  let found: Segment | undefined;
  for (const segment of node.segments) {
    if (segment.offset > offset) break;
    found = segment;
  }
  if (found === undefined) return node.span;
  return { file: node.span.file, line: found.line, column: found.column + (offset - found.offset) };
}
