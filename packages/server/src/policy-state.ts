/** Whether the last change of the policies was taken, as the log tells it. */
import { contentOf, type Json, type LogStore, readableHeader, type StoredEntry } from "@saferun/core";
import { iso } from "./wire/moment.ts";

export interface PolicyState {
  /** `rejected`: the files were changed, and what they say now is not in force. */
  readonly state: "active" | "rejected";
  /** The revision that is in force. */
  readonly revision: string;
  /** The revision of the files that it was made of: without the argument schemas that an agent's framework brought along. */
  readonly files: string;
  readonly at: string;
  /** Why it was rejected: `{code, message}`. */
  readonly issues: Json;
}

const PAGE = 1_000;
/** How far back the first look goes. */
const MOST_ENTRIES = 50_000;

/** Each look reads what came since the one before. Null: nothing within reach says so. */
export function policyState(store: LogStore): () => Promise<PolicyState | null> {
  let known: PolicyState | null = null;
  let read = 0;
  return async () => {
    const { size } = await store.head();
    for (let to = size; to > Math.max(read, size - MOST_ENTRIES); to -= PAGE) {
      const from = Math.max(read, to - PAGE);
      const found = (await store.entries({ from, limit: to - from })).findLast(isAboutPolicies);
      if (found === undefined) continue;
      known = stateOf(found);
      break;
    }
    read = size;
    return known;
  };
}

function isAboutPolicies(entry: StoredEntry): boolean {
  const type = readableHeader(entry)?.type;
  return type === "policy.activated" || type === "policy.rejected";
}

function stateOf(entry: StoredEntry): PolicyState | null {
  const header = readableHeader(entry);
  if (header === undefined) return null;
  const { type, revision = "", time } = header;
  const content = (part: string): Json => {
    const found = entry.parts.find(({ name }) => name === part);
    return found === undefined ? null : (contentOf(found) ?? null);
  };
  const written = content("written");
  const files = typeof written === "object" && written !== null && "revision" in written ? written.revision : revision;
  return {
    state: type === "policy.rejected" ? "rejected" : "active",
    revision,
    files: typeof files === "string" ? files : revision,
    at: iso(time),
    issues: content("issues"),
  };
}
