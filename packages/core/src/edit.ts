/** Which argument paths differ between two versions of a call, and which of them an approver may change. */

import type { ApprovalRecord } from "./approval/approval.ts";
import type { Json, JsonObject } from "./value/json.ts";
import { memberPath } from "./value/leaves.ts";

/** Paths of all differing leaves, such as `amount`, `to[0].mail`; a missing value counts as different. */
export function changedPaths(before: Json, after: Json): string[] {
  const found: string[] = [];
  compare(before, after, "", found);
  return found;
}

/** Paths that an edited version of this approval's call changes although its approver may not. */
export function lockedChanges(approval: Pick<ApprovalRecord, "bytes" | "editable">, edited: Json): string[] {
  const changed = changedPaths(JSON.parse(approval.bytes) as Json, edited);
  return changed.filter((path) => !approval.editable.some((allowed) => covers(allowed, path)));
}

/** `to[]` covers `to[3]`, and a path covers all below it. */
export function covers(allowed: string, path: string): boolean {
  const pattern = segments(allowed);
  const actual = segments(path);
  return (
    pattern.length <= actual.length &&
    pattern.every(
      (segment, index) => segment === actual[index] || (segment === "[]" && /^\[\d+\]$/.test(actual[index] ?? "")),
    )
  );
}

function segments(path: string): string[] {
  return path.split(/\.|(?=\[)/).filter((segment) => segment !== "");
}

function compare(before: Json | undefined, after: Json | undefined, path: string, found: string[]): void {
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      compare(before[index], after[index], memberPath(path, index), found);
    }
  } else if (isMap(before) && isMap(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(own(before, key), own(after, key), memberPath(path, key), found);
    }
  } else if (before !== after) {
    found.push(path);
  }
}

function own(map: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
