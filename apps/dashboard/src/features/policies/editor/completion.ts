/** What is offered while somebody types: the format's keys and words, and the names that are known here. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { ConditionWords, Json } from "@saferun/core";
import { conditionOptions } from "./condition.ts";
import { placeAt } from "./place.ts";
import { keysOf, shapesAt, withItems, wordsOf } from "./schema.ts";

export interface Known {
  readonly schema: Json;
  /** What conditions may be written with; null until it is read. */
  readonly words: ConditionWords | null;
  readonly tools: readonly string[];
  readonly agents: readonly string[];
  readonly environments: readonly string[];
}

/** By the last key of a path: names that the schema cannot know. */
const NAMED: Readonly<Record<string, keyof Omit<Known, "schema" | "words">>> = {
  tool: "tools",
  agent: "agents",
  env: "environments",
};

export function completions(known: () => Known) {
  return (context: CompletionContext): CompletionResult | null => {
    const { words, schema } = known();
    const word = context.matchBefore(/[\w.*/-]*/);
    const from = word?.from ?? context.pos;
    const before = context.state.sliceDoc(0, from);
    const { path } = placeAt(before);
    if (words !== null && isCondition(schema, path)) {
      // In a condition a dot parts a value from its field.
      const name = context.matchBefore(/\w*/)?.from ?? context.pos;
      const dotted = context.state.sliceDoc(name - 1, name) === ".";
      if (name === context.pos && !dotted && !context.explicit) return null;
      const options = conditionOptions(words, context.state.sliceDoc(0, context.pos), path);
      return options.length === 0 ? null : { from: name, options, validFor: /^\w*$/ };
    }
    if (from === context.pos && !context.explicit) return null;
    const options = optionsAt(known(), before);
    return options.length === 0 ? null : { from, options, validFor: /^[\w.*/-]*$/ };
  };
}

/** As the format's own schema says of the value there. */
export function isCondition(schema: Json, path: readonly (string | number)[]): boolean {
  return shapesAt(schema, path).some(({ contentMediaType }) => contentMediaType === "text/x-cel");
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
