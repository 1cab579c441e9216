/** The policies as the API gives them, and what it says of drafts of them. */
import type { JsonObject } from "@saferun/core";
import { api, ask } from "../../api/client.ts";

export type Policies = Awaited<ReturnType<typeof readPolicies>>;
export type PolicyIssue = Policies["issues"][number];

export interface PolicyText {
  readonly file: string;
  readonly text: string;
}

export function readPolicies() {
  return ask(api.policies.$get());
}

export function readSchema() {
  return ask(api.policies.schema.$get());
}

export function readWords() {
  return ask(api.policies.words.$get());
}

export function checkTexts(files: readonly PolicyText[]) {
  return ask(api.policies.check.$post({ json: { files: [...files] } }));
}

/** A call that nobody makes, as `saferun eval` takes it: `{tool, args, agent?, env?, principal?}`. */
export type TriedCall = JsonObject;

export function tryCall(files: readonly PolicyText[], call: TriedCall) {
  return ask(api.policies.try.$post({ json: { files: [...files], call } }));
}

export function backtest(files: readonly PolicyText[], since: string | undefined) {
  return ask(api.policies.backtest.$post({ json: { files: [...files], ...(since === undefined ? {} : { since }) } }));
}

export type Backtested = Awaited<ReturnType<typeof backtest>>;

/** Writes the files of an earlier revision, where what is on disk is still `base`. */
export function restore(revision: string, base: string | null) {
  return ask(api.policies.revisions[":revision"].restore.$post({ param: { revision }, json: { base } }));
}
