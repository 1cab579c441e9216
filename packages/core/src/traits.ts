/** What is known of a tool: declared by its owner, never taken from the model or the tool's server. */

export type CallKind = "read" | "write" | "destructive" | "none";

/** Paths as in policies: `a.b`, `[]` for every item, `*` for every value of a map, `$` for the whole. */
export interface ToolTraits {
  readonly kind: CallKind;
  /** Arguments that change from call to call without meaning anything (nonces, request ids). */
  readonly volatile?: readonly string[];
  /** Arguments that make two calls the same business act. Absent: nobody said so, and no two calls are known to be the same. */
  readonly identity?: readonly string[];
  /** What counts as new in a result. */
  readonly progress?: string;
  /** Asking the same again is this tool's use: not faster than `everyMs`, not longer than `forMs`. */
  readonly poll?: { readonly everyMs: number; readonly forMs: number };
  /** The argument that turns the page. */
  readonly paginate?: string;
  /** Where a call's recipients stand. */
  readonly recipients?: readonly string[];
}

/** An undeclared tool counts as the worst kind. */
export const UNDECLARED_TOOL: ToolTraits = Object.freeze({ kind: "destructive" });

/** Whether a call of this kind changes something outside. */
export function isEffectful(kind: CallKind): boolean {
  switch (kind) {
    case "write":
    case "destructive":
      return true;
    case "read":
    case "none":
      return false;
  }
}
