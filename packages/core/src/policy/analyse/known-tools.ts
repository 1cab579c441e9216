/** Tools whose arguments are known by a schema, and which of them some rule looks at. */
import { isGlob } from "../glob.ts";
import type { RuleModel } from "../model.ts";
import { toolInScope } from "../scope.ts";
import type { Analysis } from "./findings.ts";
import { exactTools } from "./scope.ts";

/** Of the tools in a wide scope so many are looked at: a scope over a thousand of them would be walked for each rule. */
const MOST_TOOLS = 20;

/** Tools whose arguments are known, and what their rules read and write; found once a scope and once a tool. */
export class KnownTools {
  readonly #analysis: Analysis;
  readonly #known = new Map<string, ReadonlySet<string> | null>();
  readonly #scoped = new Map<string, readonly string[]>();
  readonly #names: readonly string[];

  constructor(analysis: Analysis) {
    const { model, index, tools } = analysis;
    this.#analysis = analysis;
    const declared = model.tools.some(({ schema }) => schema !== null) || model.framework.size > 0;
    const names = declared ? [...model.tools.map(({ name }) => name), ...model.framework.keys(), ...index.named()] : [];
    this.#names = [...new Set(names)].filter((name) => !isGlob(name) && tools.facts(name).schema !== null);
  }

  get any(): boolean {
    return this.#names.length > 0;
  }

  /** In the rule's scope. */
  inScope({ scope }: RuleModel): readonly string[] {
    const key = JSON.stringify([scope.tools, scope.kinds, scope.labels]);
    let found = this.#scoped.get(key);
    if (found === undefined) {
      const { tools } = this.#analysis;
      const exact = exactTools(scope);
      const fits = (name: string) => tools.facts(name).schema !== null && toolInScope(scope, tools.facts(name));
      found = (exact ?? this.#names).filter(fits).slice(0, MOST_TOOLS);
      this.#scoped.set(key, found);
    }
    return found;
  }

  /** Paths that some rule looks at or changes, or the host decides; null where that cannot be told. */
  readBy(tool: string): ReadonlySet<string> | null {
    const known = this.#known.get(tool);
    if (known !== undefined) return known;
    const { index, tools } = this.#analysis;
    const rules = index.of(tool).filter(({ observe }) => !observe);
    const reads = rules.flatMap(({ condition }) => condition?.reads ?? []);
    const whole = reads.some((path) => path[0] === "args" && path.length === 1);
    const opaque = rules.some(({ condition }) => condition?.opaque !== undefined);
    const written = [...rules.flatMap(({ changes }) => changes), ...tools.facts(tool).binds];
    const paths = [...reads, ...written.map(({ path }) => ["args", ...path])];
    const found = whole || opaque ? null : new Set(paths.flatMap(prefixes));
    this.#known.set(tool, found);
    return found;
  }
}

/** Reading `args.to.name` looks at `args.to`. */
export function prefixes(path: readonly string[]): readonly string[] {
  return path.map((_, index) => keyOf(path.slice(0, index + 1)));
}

export function keyOf(path: readonly string[]): string {
  return path.join("\u0001");
}
