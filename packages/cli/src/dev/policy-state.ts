/** Whether the last change of the policies was taken, as the log tells it. */
import { type Json, type LogStore, parseHeader, type StoredEntry } from "@saferun/core";
import { iso } from "../output/time.ts";
import { partValue } from "../runs/steps.ts";

export interface PolicyState {
  /** `rejected`: the files were changed, and what they say now is not in force. */
  readonly state: "active" | "rejected";
  /** The revision that is in force. */
  readonly revision: string;
  readonly at: string;
  /** Why it was rejected: `{code, message}`. */
  readonly issues?: Json;
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

function isAboutPolicies({ header }: StoredEntry): boolean {
  const { type } = parseHeader(header);
  return type === "policy.activated" || type === "policy.rejected";
}

function stateOf({ header, parts }: StoredEntry): PolicyState {
  const { type, revision = "", time } = parseHeader(header);
  const issues = parts.find(({ name }) => name === "issues");
  const state = type === "policy.rejected" ? "rejected" : "active";
  return { state, revision, at: iso(time), ...(issues === undefined ? {} : { issues: partValue(issues) }) };
}
