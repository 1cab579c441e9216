/** What is known of a tool by its name: declared entries, globs folded in. */

import type { ToolTraits } from "../traits.ts";
import { globMatches, isGlob } from "./glob.ts";
import { compareText } from "./issue.ts";
import { joinedKeeping, NOTHING_DECLARED } from "./keeping.ts";
import { mergedTraits } from "./limits/traits.ts";
import type { BindModel, DeclaredKeeping, FrameworkTool, SchemaModel, ToolModel, UnitModel } from "./model.ts";
import type { ToolKind } from "./policy-set.ts";
import type { ArgumentValidator } from "./schema/types.ts";

export interface ToolFacts {
  /** The name that rules see; an alias stands for it. */
  readonly name: string;
  readonly kind: ToolKind;
  readonly labels: readonly string[];
  readonly schema: SchemaModel | null;
  readonly validator: ArgumentValidator | null;
  /** By path. */
  readonly binds: readonly BindModel[];
  readonly traits: ToolTraits;
  readonly keeping: DeclaredKeeping;
  readonly units: readonly UnitModel[];
}

/** From harmless to harmful: where two globs say different kinds, the later one holds. */
const KINDS_BY_HARM: readonly ToolKind[] = ["none", "read", "write", "destructive"];

export class ToolTable {
  readonly #exact = new Map<string, ToolModel>();
  readonly #globs: ToolModel[] = [];
  readonly #aliases = new Map<string, string>();
  readonly #framework: ReadonlyMap<string, FrameworkTool>;

  /** `framework`: what the framework's own definitions say, by any spelling of the tool's name. */
  constructor(tools: readonly ToolModel[], framework: ReadonlyMap<string, FrameworkTool> = new Map()) {
    for (const tool of tools) {
      if (isGlob(tool.name)) this.#globs.push(tool);
      else this.#exact.set(tool.name, tool);
      for (const alias of tool.aliases) this.#aliases.set(alias, tool.name);
    }
    this.#framework = new Map([...framework].map(([name, own]) => [this.canonical(name), own]));
  }

  /** An alias → the name it stands for; any other name → itself. */
  canonical(name: string): string {
    return this.#aliases.get(name) ?? name;
  }

  facts(name: string): ToolFacts {
    const canonical = this.canonical(name);
    const exact = this.#exact.get(canonical);
    const entries = this.#globs.filter((tool) => globMatches(tool.name, canonical));
    if (exact !== undefined) entries.push(exact);
    const labels = new Set(entries.flatMap((tool) => tool.labels));
    const own = this.#framework.get(canonical);
    const kind = strictestKind(entries);
    return {
      name: canonical,
      kind,
      labels: [...labels].sort(),
      // Checked at load: no two entries of one tool say different schemas or bind one path.
      schema: entries.find(({ schema }) => schema !== null)?.schema ?? own?.schema ?? null,
      validator: own?.validator ?? null,
      binds: entries.flatMap(({ binds }) => binds).sort((a, b) => compareText(a.path.join("."), b.path.join("."))),
      traits: mergedTraits(kind, entries),
      keeping: entries.map((entry) => entry.keeping).reduce(joinedKeeping, NOTHING_DECLARED),
      units: entries.flatMap(({ units }) => units),
    };
  }

  /** Declared by name or alias, without a glob, or by the framework. */
  names(): Iterable<string> {
    return [...this.#exact.keys(), ...this.#aliases.keys(), ...this.#framework.keys()];
  }

  /** Every label that some entry gives. */
  labels(): ReadonlySet<string> {
    return new Set([...this.#exact.values(), ...this.#globs].flatMap((tool) => tool.labels));
  }

  declares(name: string): boolean {
    return this.#exact.has(this.canonical(name));
  }

  /** Declared by name, alias or glob. */
  knows(name: string): boolean {
    return this.declares(name) || this.#globs.some((tool) => globMatches(tool.name, name));
  }
}

/** Nothing declared counts as destructive: neither the name nor a server's own hints set the kind. */
function strictestKind(entries: readonly ToolModel[]): ToolKind {
  const harms = entries.flatMap((tool) => (tool.kind === null ? [] : [KINDS_BY_HARM.indexOf(tool.kind)]));
  return harms.length === 0 ? "destructive" : (KINDS_BY_HARM[Math.max(...harms)] ?? "destructive");
}
