/** What the application states about a run: whose it is, and what the person asked for. Never what an agent claims. */
import { canonicalJson, type JsonObject, JsonProblem, NOBODY, type Principal, SafeRunError } from "@saferun/core";

/**
 * @example
 * saferun.run({ principal: { id: "user-42", roles: ["customer"] }, context: { tenant: "acme" }, prompt: message }, () =>
 *   agent.generate({ prompt: message }),
 * );
 */
export interface RunFacts {
  /**
   * Identity of this run, for an application that may take the same work up again: a call id that ran in it, in whichever
   * process, does not run again. Letters, digits, `_`, `.`, `:`, `-`. Default: a fresh random one.
   */
  readonly id?: string;
  /** For whom the agent acts; `kind` is `person` unless stated. Absent: nobody. */
  readonly principal?: Pick<Principal, "id"> & Partial<Principal>;
  /** `context.*` in conditions. JSON. */
  readonly context?: JsonObject;
  /** The person's own words, one text a turn. */
  readonly prompt?: string | readonly string[];
  /** Name of the agent, for tools that were wrapped without one. */
  readonly agent?: string;
}

export interface CheckedFacts {
  readonly id?: string;
  readonly principal: Principal;
  readonly context: JsonObject;
  readonly prompt?: readonly string[];
  readonly agent?: string;
}

const KEYS: ReadonlySet<string> = new Set(["id", "principal", "context", "prompt", "agent"]);
/** It stands in the header of every entry of the run. */
const RUN_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const PRINCIPAL_KEYS: ReadonlySet<string> = new Set(["id", "kind", "roles", "labels"]);
const KINDS: ReadonlySet<unknown> = new Set(["person", "service", "none"]);

/** @throws SafeRunError `option.invalid`, because a fact that is misread is a rule that does not match. */
export function checkFacts(facts: RunFacts): CheckedFacts {
  if (typeof facts !== "object" || facts === null || Array.isArray(facts) || "then" in facts)
    throw invalid("run", "must be an object");
  const unknown = Object.keys(facts).find((key) => !KEYS.has(key));
  if (unknown !== undefined) throw invalid("run", `has no \`${unknown}\`; it takes ${[...KEYS].join(", ")}`);
  const { id, prompt, agent } = facts;
  if (id !== undefined && (typeof id !== "string" || !RUN_ID.test(id)))
    throw invalid("run.id", "must be 1 to 128 letters, digits, `_`, `.`, `:` or `-`");
  if (agent !== undefined && (typeof agent !== "string" || agent === "")) throw invalid("run.agent", "must be a text");
  const prompts = prompt === undefined ? undefined : typeof prompt === "string" ? [prompt] : [...prompt];
  if (prompts?.some((text) => typeof text !== "string"))
    throw invalid("run.prompt", "must be a text or a list of texts");
  return {
    principal: facts.principal === undefined ? NOBODY : principalOf(facts.principal),
    context: facts.context === undefined ? {} : copy("run.context", facts.context),
    ...(prompts === undefined ? {} : { prompt: Object.freeze(prompts) }),
    ...(agent === undefined ? {} : { agent }),
    ...(id === undefined ? {} : { id }),
  };
}

function principalOf(given: NonNullable<RunFacts["principal"]>): Principal {
  if (typeof given !== "object" || given === null) throw invalid("run.principal", "must be an object with an `id`");
  const unknown = Object.keys(given).find((key) => !PRINCIPAL_KEYS.has(key));
  if (unknown !== undefined) throw invalid("run.principal", `has no \`${unknown}\``);
  const { id, kind = "person", roles = [], labels = {} } = given;
  if (typeof id !== "string" || id === "") throw invalid("run.principal.id", "must be a text that is not empty");
  if (!KINDS.has(kind)) throw invalid("run.principal.kind", "must be `person`, `service` or `none`");
  if (!Array.isArray(roles) || roles.some((role) => typeof role !== "string"))
    throw invalid("run.principal.roles", "must be a list of texts");
  if (typeof labels !== "object" || labels === null || Object.values(labels).some((text) => typeof text !== "string"))
    throw invalid("run.principal.labels", "must map texts to texts");
  return copy("run.principal", { id, kind, roles, labels });
}

/** A private frozen copy: what is stated at the start of a run does not change in it. */
function copy<Value extends object>(path: string, value: Value): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(path, "must be an object");
  try {
    return JSON.parse(canonicalJson(value), (_, item: unknown) => Object.freeze(item)) as Value;
  } catch (error) {
    if (error instanceof JsonProblem) throw invalid(path, `holds ${error.message} at ${error.path}`);
    throw error;
  }
}

function invalid(path: string, message: string): SafeRunError {
  return new SafeRunError("option.invalid", `\`${path}\` ${message}`);
}
