/** Policy files → one policy set, or every issue of every file: a set that is not whole is not there at all. */
import {
  type ArgumentValidator,
  type CheckOptions,
  type CompiledPolicySet,
  checkPolicies,
  compilePolicies,
  type Hash,
  type JsonSchema,
  JsonTextProblem,
  type PolicyDocument,
  type PolicyIssue,
  type PolicyModel,
  type PolicyTree,
  parseJson,
  type ReadSchema,
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
  /**
   * The framework's own definitions, by tool: JSON Schemas of their arguments (what the tool takes, before defaults are
   * filled in). Used where the policies give the tool no `schema`.
   */
  readonly toolSchemas?: Readonly<Record<string, JsonSchema>>;
  /** The framework's own validators, by tool (`standardValidator` of the core makes one): asked as well, in process only. */
  readonly validators?: Readonly<Record<string, ArgumentValidator>>;
  /**
   * The text of a file that a policy file names: `path` as written there, `from` the policy file that names it. Its throw is
   * an issue. Absent: policies that name files do not load.
   */
  readonly readFile?: (path: string, from: string) => string;
  /** Rules and environments bind even where their files say `observe`. */
  readonly enforce?: boolean;
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
  const read = options.readFile === undefined ? {} : { readSchema: schemaReader(options.readFile) };
  const checked = checkPolicies(trees, { zones: intlZones, ...options, ...read, whole });
  if (!checked.ok) return { ok: false, issues: [...broken, ...checked.issues] };
  if (broken.length > 0) return { ok: false, issues: broken };
  const { warnings } = checked;
  const model = options.enforce === true ? binding(checked.model) : checked.model;
  return { ok: true, policies: compilePolicies(model, options.hash), model, documents: model.documents, warnings };
}

/** Strict JSON: of two equal keys a schema would say one thing here and another to whoever reads the file. */
function schemaReader(readFile: NonNullable<LoadOptions["readFile"]>): ReadSchema {
  return (path, from) => {
    const text = readFile(path, from);
    try {
      return parseJson(text);
    } catch (error) {
      if (!(error instanceof JsonTextProblem)) throw error;
      throw new Error(`${path}:${error.line}:${error.column}: ${error.message}`);
    }
  };
}

/** The same model with everything observed made binding: another set, hence another revision. */
function binding(model: PolicyModel): PolicyModel {
  const environments = [...model.environments].map(([name, one]) => [name, { ...one, observe: false }] as const);
  const rules = model.rules.map((rule) => ({ ...rule, observe: false }));
  return { ...model, environments: new Map(environments), rules };
}

/** Total: the tree of either form, or the reasons why there is none. */
export function parsePolicy(input: PolicyInput): ParsedFile {
  return input instanceof Policy ? input : parsePolicyFile(input.text, input.file);
}
