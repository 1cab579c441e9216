/** One argument that an approver may change, as the tool's schema describes it. Plain data: it stands in the approval's row. */
import type { Json } from "./value/json.ts";

export interface EditField {
  /** As in `editable`: `amount`, `lines[].amount`. */
  readonly path: string;
  /** The schema's title, else the path. Like `description` the text of whoever made the tool: show it escaped, beside the path. */
  readonly label: string;
  /** `enums`: a list of distinct values of `enum`. `json`: anything that is none of the others. */
  readonly type: "string" | "integer" | "number" | "boolean" | "enum" | "enums" | "json";
  readonly required: boolean;
  /** Null fits too. */
  readonly nullable?: true;
  /** For `enum` and `enums`: texts, numbers and booleans. */
  readonly enum?: readonly Json[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** In code points. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** RE2 syntax, found anywhere in the text. */
  readonly pattern?: string;
  readonly description?: string;
}
