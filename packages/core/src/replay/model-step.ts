/** Questions to models and their answers; the messages of all prompts, each once. */
import type { Json } from "../value/json.ts";
import { decisionOf } from "./call-step.ts";
import {
  type Content,
  contentAt,
  fieldOf,
  listOf,
  numberOf,
  type RecordedEntry,
  shownValue,
  textOf,
} from "./content.ts";
import type { ModelStep, Prompt } from "./tree.ts";

/** What a question to a model was, without its place in the run. */
export type ModelFacts = Pick<
  ModelStep,
  | "id"
  | "model"
  | "state"
  | "cutOff"
  | "response"
  | "error"
  | "decision"
  | "execute"
  | "inputTokens"
  | "outputTokens"
  | "usdMicros"
  | "estimated"
>;

/** @param entries The question first, then its answer, if there is one. */
export function modelFacts(entries: readonly RecordedEntry[]): ModelFacts {
  const [asked] = entries;
  const ended = entries.find(({ header }) => ENDS.includes(header.type));
  const response = ended?.part("response") ?? null;
  const usage = shownValue(contentAt(response, "usage"));
  const spend = shownValue(ended?.part("spend") ?? null);
  const refused = asked?.header.type === "model.refused";
  const prompt = asked?.part("prompt") ?? null;
  return {
    id: asked?.header.model ?? null,
    model: textOf(shownValue(contentAt(prompt, "model"))),
    state: refused ? "refused" : stateOf(ended),
    cutOff: textOf(shownValue(contentAt(response, "cutOff"))),
    response,
    error: ended?.part("error") ?? null,
    decision: asked !== undefined && asked.part("decision") !== null ? decisionOf(asked) : null,
    execute: { from: asked?.header.time ?? 0, to: refused ? asked.header.time : (ended?.header.time ?? null) },
    inputTokens: tokensOf(usage, ["inputTokens", "input_tokens", "prompt_tokens"]),
    outputTokens: tokensOf(usage, ["outputTokens", "output_tokens", "completion_tokens"]),
    usdMicros: digitsOf(fieldOf(spend, "usd_micros")),
    estimated: fieldOf(spend, "estimate") === true,
  };
}

const ENDS: readonly string[] = ["model.responded", "model.failed", "model.lost"];

function stateOf(ended: RecordedEntry | undefined): ModelStep["state"] {
  switch (ended?.header.type) {
    case "model.responded":
      return "responded";
    case "model.failed":
      return "failed";
    case "model.lost":
      return "lost";
    default:
      return "pending";
  }
}

/** Said as a number, or in parts with their total. */
function tokensOf(usage: Json | undefined, names: readonly string[]): number | null {
  for (const name of names) {
    const said = fieldOf(usage, name);
    const count = numberOf(said) ?? numberOf(fieldOf(said, "total"));
    if (count !== null && Number.isSafeInteger(count) && count >= 0) return count;
  }
  return null;
}

function digitsOf(value: Json | undefined): string | null {
  const text = textOf(value);
  return text !== null && /^\d{1,30}$/.test(text) ? text : null;
}

/** Every message and settings part of a run, by its commitment, and the prompts that name them. */
export interface PromptReader {
  readonly contents: readonly Content[];
  /** Takes entries in the order of the log. */
  see(entry: RecordedEntry): void;
  /** Of a question; `numbers` says the step of each prompt that was seen, by its commitment. */
  promptOf(entry: RecordedEntry, numbers: ReadonlyMap<string, number>): Prompt | null;
}

export function promptReader(): PromptReader {
  const contents: Content[] = [];
  const places = new Map<string, number>();
  return {
    contents,
    see(entry) {
      for (const name of entry.names) {
        if (name !== "settings" && !name.startsWith("message/")) continue;
        const commitment = entry.header.parts?.[name];
        const content = entry.part(name);
        if (commitment === undefined || content === null || places.has(commitment)) continue;
        places.set(commitment, contents.length);
        contents.push(content);
      }
    },
    promptOf(entry, numbers) {
      const prompt = shownValue(entry.part("prompt"));
      if (prompt === undefined) return null;
      const place = (commitment: Json | undefined): number | null =>
        typeof commitment === "string" ? (places.get(commitment) ?? null) : null;
      const after = fieldOf(prompt, "after");
      return {
        after: typeof after === "string" ? (numbers.get(after) ?? null) : null,
        keep: numberOf(fieldOf(prompt, "keep")) ?? 0,
        added: listOf(fieldOf(prompt, "messages")).map(place),
        settings: place(fieldOf(prompt, "settings")),
      };
    },
  };
}

/** What of a question to a model its messages are found by; a tree on the wire has it too. */
type Asked = Pick<ModelStep, "number" | "prompt">;

/**
 * All messages of a step's prompt, oldest first; null where one is not among the entries. Takes time for as many prompts as
 * it goes on.
 */
export function promptMessages<Part>(
  tree: { readonly contents: readonly Part[] },
  steps: ReadonlyMap<number, Asked>,
  step: Asked,
): readonly (Part | null)[] {
  const pieces: (readonly (number | null)[])[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  for (let at: Asked | undefined = step; at !== undefined && wanted > 0; ) {
    const prompt: Prompt | null = at.prompt;
    if (prompt === null) break;
    // Of a prompt that was gone on from, only what was kept of it counts.
    const own = prompt.added.slice(0, Math.max(0, wanted - prompt.keep));
    pieces.push(own);
    wanted = Math.min(wanted, prompt.keep);
    const before: number | null = prompt.after;
    at = before !== null && before < at.number ? steps.get(before) : undefined;
  }
  const missing = wanted === Number.POSITIVE_INFINITY ? 0 : wanted;
  const found = pieces.reverse().flat();
  return [...Array.from({ length: missing }, () => null), ...found].map((place) =>
    place === null ? null : (tree.contents[place] ?? null),
  );
}
