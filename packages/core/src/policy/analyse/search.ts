/** Finding a call that lies in a region and behaves as claimed: a bounded search, decided by evaluation. */
import type { BudgetClaim } from "../../budget.ts";
import type { Decision } from "../../decision.ts";
import type { PastCalls } from "../../past-calls.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import type { Expr } from "../cel/ast.ts";
import type { PolicyModel, RuleModel } from "../model.ts";
import { schemaAt } from "../schema/cel-type.ts";
import type { Schema } from "../schema/types.ts";
import { toolInScope } from "../scope.ts";
import { type Constants, plainPath } from "./atom.ts";
import { type Candidate, Candidates, hint, membersOf, sized } from "./candidates.ts";
import type { Assignment } from "./cells.ts";
import type { Region } from "./region.ts";
import { fittedArgs, schemaSample } from "./schema-sample.ts";
import { exactTools, nameFor, type Tools } from "./scope.ts";
import type { ExampleCall, Trial } from "./trial.ts";
import { has } from "./value-set.ts";

/** Who calls what, where; the arguments are what is searched for. */
export type Setting = Omit<ExampleCall, "args" | "context">;

/** Calls that are tried for one claim. */
const MOST_TRIES = 240;

export class Search {
  readonly #model: PolicyModel;
  readonly #tools: Tools;
  readonly #trial: Trial;
  readonly #constants: Constants;

  constructor(model: PolicyModel, tools: Tools, trial: Trial) {
    this.#model = model;
    this.#tools = tools;
    this.#trial = trial;
    this.#constants = model.constants;
  }

  /** The first call in one of the regions that `accept` takes; undefined where none is found. */
  find(
    setting: Setting,
    regions: readonly Region[],
    extra: readonly Expr[],
    accept: (decision: Decision, call: ExampleCall) => boolean,
  ): ExampleCall | undefined {
    let tries = 0;
    for (const region of regions) {
      const plain = plainCall(setting, region, this.#schemaOf(setting));
      const first = plain === undefined ? undefined : this.#trial.decide(plain);
      if (plain !== undefined && first !== undefined && accept(first, plain)) return plain;
    }
    for (const region of regions) {
      for (const call of this.#callsIn(setting, region, extra)) {
        if (++tries > MOST_TRIES) return undefined;
        const decision = this.#trial.decide(call);
        if (decision !== undefined && accept(decision, call)) return call;
      }
    }
    return undefined;
  }

  decide(call: ExampleCall, history?: PastCalls): Decision | undefined {
    return this.#trial.decide(call, history);
  }

  claims(call: ExampleCall): readonly BudgetClaim[] {
    return this.#trial.claims(call);
  }

  /** A setting in which a rule speaks, or a budget counts; undefined where it speaks of no tool that is known. */
  settingOf({ scope }: Pick<RuleModel, "scope">, tool: string | undefined = this.toolOf(scope)): Setting | undefined {
    if (tool === undefined) return undefined;
    const environments = scope.environments ?? [...this.#model.environments.keys()];
    const enforced = environments.find((name) => this.#model.environments.get(name)?.observe === false);
    const env = enforced ?? environments[0];
    const [agent = "agent"] = scope.agents ?? [];
    const [who] = scope.principals ?? [];
    if (env === undefined) return undefined;
    return {
      tool,
      env,
      agent: agent === "*" ? "agent" : nameFor(agent),
      ...(who === undefined ? {} : { principal: principalNamed(who) }),
    };
  }

  /** What the host must state, so that the arguments that it decides lie in the region. */
  #bound({ tool }: Setting, region: Region) {
    return this.#tools.facts(tool).binds.flatMap(({ path, value }) => {
      const stated = plainPath(value.expr);
      if (stated === null || stated[0] !== "context" || region.has(stated.join("\u0001"))) return [];
      const wanted = region.get(["args", ...path].join("\u0001"));
      return [{ path: stated, values: wanted === undefined ? STATED : membersOf(wanted.values) }];
    });
  }

  #schemaOf({ tool }: Setting): Schema | null {
    return this.#tools.facts(tool).schema?.schema ?? null;
  }

  /** A tool that the scope speaks of. */
  toolOf(scope: RuleModel["scope"]): string | undefined {
    const names = exactTools(scope) ?? [
      ...this.#model.tools.map((tool) => nameFor(tool.name)),
      ...(scope.tools ?? ["*"]).map(nameFor),
    ];
    return names.find((name) => toolInScope(scope, this.#tools.facts(name)));
  }

  *#callsIn(setting: Setting, region: Region, extra: readonly Expr[]): Iterable<ExampleCall> {
    const schema = this.#schemaOf(setting);
    const places = [...this.#places(region, extra, schema), ...this.#bound(setting, region)];
    const total = places.reduce((count, { values }) => count * values.length, 1);
    for (let index = 0; index < Math.min(total, MOST_TRIES); index++) {
      let rest = index;
      const chosen = places.map(({ path, values }) => {
        const value = values[rest % values.length];
        rest = Math.floor(rest / values.length);
        return { path, value };
      });
      const call = callWith(setting, chosen, schema);
      if (call !== undefined) yield call;
    }
  }

  /** Places with the values to try: those of the region first, then what unread expressions speak of. */
  #places(region: Region, extra: readonly Expr[], schema: Schema | null) {
    const guesses = new Candidates();
    for (const { place } of region.values()) if (place.kind !== "path") hint(place.expr, guesses, this.#constants);
    for (const expr of extra) hint(expr, guesses, this.#constants);
    const guessed = new Map(guesses.all().map(({ path, values }) => [path.join("\u0001"), { path, values }]));
    for (const { place, values } of region.values()) {
      const key = place.path.join("\u0001");
      if (place.kind === "path") {
        const fitting = (guessed.get(key)?.values ?? []).filter((value) => has(values, value));
        guessed.set(key, { path: place.path, values: distinct([...membersOf(values), ...fitting]) });
      } else if (place.kind === "size" && !region.has(key)) {
        guessed.set(key, {
          path: place.path,
          values: distinct([...sized(values), ...(guessed.get(key)?.values ?? [])]),
        });
      }
    }
    return [...guessed.values()]
      .map(({ path, values }) => ({ path, values: distinct([...fittingSample(path, region, schema), ...values]) }))
      .filter(({ values }) => values.length > 0);
  }
}

/** The plainest call of a region; undefined where it asks for more than single members. */
function plainCall(setting: Setting, region: Region, schema: Schema | null): ExampleCall | undefined {
  const chosen: Assignment[] = [];
  for (const { place, values } of region.values()) {
    if (place.kind !== "path") return undefined;
    chosen.push({ path: place.path, value: membersOf(values)[0] });
  }
  return callWith(setting, chosen, schema);
}

/** One of each type that a context field may have. */
const STATED: readonly Candidate[] = ["x", 1, true, ["x"], [1]];

/** What the schema has for a place, where the region takes it. */
function fittingSample(path: readonly string[], region: Region, schema: Schema | null): readonly Candidate[] {
  const at = schema === null || path[0] !== "args" ? null : schemaAt(schema, path.slice(1));
  const sample = at === null ? undefined : schemaSample(at);
  const wanted = region.get(path.join("\u0001"));
  return sample === undefined || (wanted !== undefined && !has(wanted.values, sample)) ? [] : [sample];
}

function distinct(values: readonly Candidate[]): readonly Candidate[] {
  return [...new Map(values.map((value) => [JSON.stringify(value) ?? "absent", value])).values()];
}

/** `role:NAME` is somebody with that role, anything else an id. */
export function principalNamed(who: string): NonNullable<Setting["principal"]> {
  return who.startsWith("role:") ? { id: "someone", roles: [who.slice("role:".length)] } : { id: who };
}

/** Undefined where two assignments contradict each other: a field below a value that has none. */
export function callWith(
  setting: Setting,
  chosen: readonly Assignment[],
  schema: Schema | null,
): ExampleCall | undefined {
  const drafts = { args: new Draft(), context: new Draft() };
  let call: Setting = setting;
  for (const { path, value } of chosen) {
    const [root = "", field = ""] = path;
    if (value === undefined) continue;
    if (root === "args" || root === "context") {
      if (!drafts[root].put(path.slice(1), value)) return undefined;
    } else if (typeof value === "string") {
      if (root === "env" || root === "agent" || root === "tool") call = { ...call, [root]: value };
      if (root === "principal" && field === "id") call = { ...call, principal: { ...call.principal, id: value } };
    }
  }
  const context = drafts.context.done();
  const plain = drafts.args.done();
  const absent = chosen.filter(({ path, value }) => path[0] === "args" && value === undefined);
  const args =
    schema === null
      ? plain
      : fittedArgs(
          plain,
          schema,
          absent.map(({ path }) => path.slice(1)),
        );
  return { ...call, args, ...(Object.keys(context).length > 0 ? { context } : {}) };
}

/** The same call with one argument set, or with `undefined` left out. */
export function withArgument(call: ExampleCall, path: readonly string[], value: Candidate): ExampleCall {
  return { ...call, args: replaced(call.args, path.slice(1), value) };
}

function replaced(map: JsonObject, path: readonly string[], value: Candidate): JsonObject {
  const [field = "", ...rest] = path;
  const { [field]: before, ...others } = map;
  if (rest.length > 0) {
    const inner = isMap(before) ? before : {};
    return { ...others, [field]: replaced(inner, rest, value) };
  }
  return value === undefined ? others : { ...others, [field]: value };
}

export function argumentOf(call: ExampleCall, path: readonly string[]): Candidate {
  let at: Candidate = call.args;
  for (const field of path.slice(1)) at = isMap(at) && Object.hasOwn(at, field) ? at[field] : undefined;
  return at;
}

function isMap(value: Candidate): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Only maps that are made here are filled: a candidate is shared by many calls. */
class Draft {
  readonly fields = new Map<string, Draft | Json>();

  put(path: readonly string[], value: Json): boolean {
    const [field = "", ...rest] = path;
    const known = this.fields.get(field);
    if (rest.length === 0) {
      if (known === undefined) this.fields.set(field, value);
      return known === undefined;
    }
    if (known !== undefined && !(known instanceof Draft)) return false;
    const inner = known ?? new Draft();
    this.fields.set(field, inner);
    return inner.put(rest, value);
  }

  done(): JsonObject {
    return Object.fromEntries(
      [...this.fields].map(([field, value]) => [field, value instanceof Draft ? value.done() : value]),
    );
  }
}
