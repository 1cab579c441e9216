/** What the models of two runs were asked: messages, tools and parameters that only one of them was given. */
import { canonicalJson, type Json } from "../value/json.ts";
import { type Content, fieldOf, isMap, listOf, shownValue, textOf } from "./content.ts";
import { promptMessages } from "./model-step.ts";
import { allSteps } from "./run-tree.ts";
import { roleOf, type Spoken, spokenIn, withoutNames } from "./spoken.ts";
import { commonPairs } from "./subsequence.ts";
import type { ModelStep, RunTree } from "./tree.ts";

export interface PromptDifference {
  readonly what: "prompt" | "tools" | "settings";
  /** `message 3, user`; the tool's name; the parameter's. */
  readonly where: string;
  /** As canonical JSON; empty: it is not there. */
  readonly left: string;
  readonly right: string;
}

/** A message as it is compared: what its provider calls it is no part of it. */
interface Message {
  readonly id: number;
  readonly text: string;
  readonly role: string | null;
  /** It repeats what a model of its run had said, or a tool had given: the steps before tell the difference. */
  readonly repeats: boolean;
}

/**
 * Compares questions in the order of the runs. A prompt repeats the ones before it: each difference is told once, where it is
 * first met.
 */
export class PromptComparison {
  readonly #sides: readonly [Side, Side];
  readonly #ids = new Map<string, number>();
  readonly #compared = new Set<string>();
  readonly #told = new Set<string>();

  constructor(left: RunTree, right: RunTree) {
    this.#sides = [sideOf(left), sideOf(right)];
  }

  differences(left: ModelStep, right: ModelStep): readonly PromptDifference[] {
    const [one, other] = this.#sides;
    // Two that go on from two that were compared: what they kept of those is told already.
    const goesOn = this.#compared.has(pairOf(left.prompt?.after, right.prompt?.after));
    this.#compared.add(pairOf(left.number, right.number));
    return [
      ...this.#inMessages(this.#asked(one, left, goesOn), this.#asked(other, right, goesOn)),
      ...this.#inSettings(settingsOf(one.tree, left), settingsOf(other.tree, right)),
    ];
  }

  #asked(side: Side, step: ModelStep, goesOn: boolean): Asked {
    const { contents } = side.tree;
    const { keep = 0, added = [] } = step.prompt ?? {};
    const messages = goesOn
      ? added.map((place) => (place === null ? null : (contents[place] ?? null)))
      : promptMessages(side.tree, side.models, step);
    return { from: goesOn ? keep : 0, messages: messages.map((content) => this.#message(side, content ?? GONE)) };
  }

  #message({ messages, said }: Side, content: Content): Message {
    const known = messages.get(content);
    if (known !== undefined) return known;
    const value = shownValue(content);
    const text = value === undefined ? `(${content.state})` : canonicalJson(withoutNames(value));
    const id = this.#ids.get(text) ?? this.#ids.size;
    this.#ids.set(text, id);
    const role = value === undefined ? null : roleOf(value);
    const pieces = value === undefined || (role !== "assistant" && role !== "tool") ? [] : piecesIn(value);
    const message = { id, text, role, repeats: pieces.length > 0 && pieces.every((piece) => said.has(piece)) };
    messages.set(content, message);
    return message;
  }

  #inMessages({ from, messages: left }: Asked, { from: other, messages: right }: Asked): PromptDifference[] {
    const found: PromptDifference[] = [];
    const pairs = commonPairs(
      left.map(({ id }) => id),
      right.map(({ id }) => id),
    );
    let [i, j] = [0, 0];
    for (const [a, b] of [...pairs, [left.length, right.length] as const]) {
      // What stands between two common messages is one changed, as far as both have any.
      while (i < a || j < b) {
        const [ours, theirs] = [i < a ? left[i] : undefined, j < b ? right[j] : undefined];
        const number = 1 + (ours === undefined ? other + j : from + i);
        const role = (ours ?? theirs)?.role ?? null;
        const where = `message ${number}${role === null ? "" : `, ${role}`}`;
        const isTold = ours?.repeats !== false && theirs?.repeats !== false;
        if (!isTold && this.#isNew("message", ours?.id, theirs?.id))
          found.push({ what: "prompt", where, left: ours?.text ?? "", right: theirs?.text ?? "" });
        [i, j] = [Math.min(i + 1, a), Math.min(j + 1, b)];
      }
      [i, j] = [a + 1, b + 1];
    }
    return found;
  }

  #inSettings(left: Json, right: Json): PromptDifference[] {
    const [ours, theirs] = [settingTexts(left), settingTexts(right)];
    return [...new Set([...ours.keys(), ...theirs.keys()])].sort().flatMap((key) => {
      const [one, other] = [ours.get(key), theirs.get(key)];
      if (one?.text === other?.text || !this.#isNew(key, one?.text, other?.text)) return [];
      const { what, where } = one ?? other ?? { what: "settings", where: key };
      return [{ what, where, left: one?.text ?? "", right: other?.text ?? "" }];
    });
  }

  #isNew(of: string, left: string | number | undefined, right: string | number | undefined): boolean {
    const key = JSON.stringify([of, left ?? null, right ?? null]);
    if (this.#told.has(key)) return false;
    this.#told.add(key);
    return true;
  }
}

interface Asked {
  /** Messages before these. */
  readonly from: number;
  readonly messages: readonly Message[];
}

function pairOf(left: number | null | undefined, right: number | null | undefined): string {
  return `${left ?? ""} ${right ?? ""}`;
}

const GONE: Content = { state: "missing" };

interface Side {
  readonly tree: RunTree;
  readonly models: ReadonlyMap<number, ModelStep>;
  /** Pieces that its models had said and its tools had given. */
  readonly said: ReadonlySet<string>;
  readonly messages: Map<Content, Message>;
}

function sideOf(tree: RunTree): Side {
  const steps = allSteps(tree.steps);
  const models = new Map(steps.flatMap((step) => (step.kind === "model" ? [[step.number, step] as const] : [])));
  const said = new Set(
    steps.flatMap((step): readonly string[] => {
      const content = step.kind === "model" ? step.response : step.kind === "call" ? step.result : null;
      const value = shownValue(content);
      if (value === undefined) return [];
      return step.kind === "call" ? [pieceText("result", step.tool ?? "", value)] : piecesIn(value);
    }),
  );
  return { tree, models, said, messages: new Map() };
}

/** What a message or an answer says, piece by piece, as texts that are the same where they say the same. */
function piecesIn(message: Json): readonly string[] {
  return (spokenIn(message) ?? []).map(saidText);
}

function saidText(piece: Spoken): string {
  switch (piece.kind) {
    case "text":
    case "reasoning":
      return pieceText(piece.kind, "", piece.text);
    case "call":
      return pieceText("call", piece.tool, piece.value);
    case "result":
      // A model is told it as `{type, value}`.
      return pieceText("result", piece.tool, fieldOf(piece.value, "value") ?? null);
    case "other":
      return pieceText("other", "", piece.value);
  }
}

function pieceText(kind: string, tool: string, value: Json): string {
  return canonicalJson([kind, tool, value]);
}

function settingsOf({ contents }: RunTree, { prompt }: ModelStep): Json {
  const place = prompt?.settings ?? null;
  return shownValue(place === null ? null : (contents[place] ?? null)) ?? null;
}

interface Setting {
  readonly what: "tools" | "settings";
  readonly where: string;
  readonly text: string;
}

/** Each tool that was offered by its name, each parameter by its own. */
function settingTexts(settings: Json): ReadonlyMap<string, Setting> {
  const texts = new Map<string, Setting>();
  if (!isMap(settings)) return texts;
  for (const tool of listOf(settings.tools)) {
    const text = canonicalJson(tool);
    const where = textOf(fieldOf(tool, "name")) ?? text;
    texts.set(`tool ${where}`, { what: "tools", where, text });
  }
  for (const [where, value] of Object.entries(settings)) {
    if (where !== "tools") texts.set(`setting ${where}`, { what: "settings", where, text: canonicalJson(value) });
  }
  return texts;
}
