/** What is offered while somebody types: the format's keys and words, and the names that are known here. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { Json } from "@saferun/core";
import { placeAt } from "./place.ts";
import { keysOf, shapesAt, withItems, wordsOf } from "./schema.ts";

export interface Known {
  readonly schema: Json;
  readonly tools: readonly string[];
  readonly agents: readonly string[];
  readonly environments: readonly string[];
}

/** By the last key of a path: names that the schema cannot know. */
const NAMED: Readonly<Record<string, keyof Omit<Known, "schema">>> = {
  tool: "tools",
  agent: "agents",
  env: "environments",
};

export function completions(known: () => Known) {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w.*/-]*/);
    const from = word?.from ?? context.pos;
    if (from === context.pos && !context.explicit) return null;
    const options = optionsAt(known(), context.state.sliceDoc(0, from));
    return options.length === 0 ? null : { from, options, validFor: /^[\w.*/-]*$/ };
  };
}

/** `before`: the file up to the word that is being typed. */
export function optionsAt(known: Known, before: string): Completion[] {
  const { path, wants, siblings } = placeAt(before);
  const shapes = shapesAt(known.schema, path);
  if (wants === "key") {
    const keys = keysOf(shapes).filter(({ word }) => !siblings.has(word));
    const more = path.length === 1 && path[0] === "tools" ? known.tools.filter((tool) => !siblings.has(tool)) : [];
    return [
      ...keys.map(({ word, about }) => ({ label: word, type: "property", info: about, apply: `${word}: ` })),
      ...more.map((tool) => ({ label: tool, type: "variable", apply: `${tool}: ` })),
    ];
  }
  const words = wordsOf(withItems(shapes)).map(({ word }) => ({ label: word, type: "enum" }));
  const last = path.findLast((step) => typeof step === "string");
  const named = last === undefined ? undefined : NAMED[last];
  const names = named === undefined ? [] : known[named];
  return [...words, ...names.map((name) => ({ label: name, type: "variable" }))];
}
