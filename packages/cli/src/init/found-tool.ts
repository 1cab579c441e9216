/** A tool as a source describes it, and what a first policy needs to know of it. */
import type { JsonObject } from "@saferun/core";

export interface FoundTool {
  readonly name: string;
  /** `read` only where the source proves it. What a server says of itself proves nothing. */
  readonly kind: "read" | "write" | "destructive";
  /** Why it has this kind, for the person who reads the policy; one line. */
  readonly why: string;
  /** Untrusted text. */
  readonly description?: string;
  readonly numbers: readonly NumberArgument[];
  /** Arguments for a test. */
  readonly sample: JsonObject;
  /** JSON Schema of the arguments, where the source has one. */
  readonly schema?: JsonObject;
  /** The sample does not fit the schema, so that there is no test. */
  readonly untested?: boolean;
}

/** A numeric argument; a limit on it is the usual way to need a person less often. */
export interface NumberArgument {
  /** `amount`, `order.total`. */
  readonly path: string;
  /** The largest that the source knows of. */
  readonly max?: number;
}

export interface Found {
  /** Where they come from, for the head of the file. */
  readonly source: string;
  readonly tools: readonly FoundTool[];
}
