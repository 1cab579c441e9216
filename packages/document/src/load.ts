/** Policy files → one policy set, or every issue of every file: a set that is not whole is not there at all. */
import {
  type CheckOptions,
  type CompiledPolicySet,
  checkPolicies,
  compilePolicies,
  type Hash,
  type PolicyDocument,
  type PolicyIssue,
  type PolicyModel,
  type PolicyTree,
  type Zones,
} from "@saferun/core";
import { type ParsedFile, parsePolicyFile } from "./parse.ts";
import { Policy } from "./typescript/policy.ts";
import { intlZones } from "./zones.ts";

export interface PolicyText {
  /** The name in messages and decisions. */
  readonly file: string;
  readonly text: string;
}

/** A file's text, or what `policy(…)` built. */
export type PolicyInput = PolicyText | Policy;

export interface LoadOptions {
  readonly hash: Hash;
  /** Tools that exist, where the caller knows them; otherwise only declared tools may be named. */
  readonly knownTools?: readonly string[];
  /** The calendar behind time zones by name; default: the runtime's own. */
  readonly zones?: Zones;
  /** Warns of rules that are likely mistakes: `analyse` of the core. Absent: nobody does. */
  readonly analyse?: NonNullable<CheckOptions["analyse"]>;
}

export type LoadResult =
  | {
      readonly ok: true;
      readonly policies: CompiledPolicySet;
      /** What the policies were compiled from. */
      readonly model: PolicyModel;
      readonly documents: readonly PolicyDocument[];
      readonly warnings: readonly PolicyIssue[];
    }
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] };

const NO_FILE: PolicyIssue = {
  code: "empty",
  severity: "error",
  file: "policies",
  line: 1,
  column: 1,
  message: "there is no policy file; name at least one, `saferun init` writes a first one",
};

/** Total. No file at all is an issue too: without policies nothing is permitted. */
export function loadPolicies(inputs: readonly PolicyInput[], options: LoadOptions): LoadResult {
  if (inputs.length === 0) return { ok: false, issues: [NO_FILE] };
  const trees: PolicyTree[] = [];
  const broken: PolicyIssue[] = [];
  for (const input of inputs) {
    const { tree, issues } = parsePolicy(input);
    broken.push(...issues);
    if (tree !== undefined) trees.push(tree);
  }
  const whole = trees.length === inputs.length;
  const checked = checkPolicies(trees, { zones: intlZones, ...options, whole });
  if (!checked.ok) return { ok: false, issues: [...broken, ...checked.issues] };
  if (broken.length > 0) return { ok: false, issues: broken };
  const { model, warnings } = checked;
  return { ok: true, policies: compilePolicies(model, options.hash), model, documents: model.documents, warnings };
}

/** Total: the tree of either form, or the reasons why there is none. */
export function parsePolicy(input: PolicyInput): ParsedFile {
  return input instanceof Policy ? input : parsePolicyFile(input.text, input.file);
}
