/** Texts that a pattern matches, made by walking it: the shortest one, and one with every repetition taken once. */
import { parsePattern } from "../regex/parse.ts";
import { type PatternNode, PatternProblem } from "../regex/syntax.ts";

const LETTERS = "ax0A-._@/ :,;'\"=()[]{}<>!?#%&*+|\\^$~`";

/** None for a pattern that is none, or that only unusual characters match. */
export function sampleOf(pattern: string): readonly string[] {
  try {
    const tree = parsePattern(pattern);
    return [...new Set([text(tree, 1), text(tree, 0)])].filter((sample) => sample !== undefined);
  } catch (error) {
    if (error instanceof PatternProblem) return [];
    throw error;
  }
}

/** `least`: how often a repetition that may be left out is taken. */
function text(node: PatternNode, least: number): string | undefined {
  switch (node.kind) {
    case "empty":
    case "assertion":
      return "";
    case "set":
      return character(node);
    case "sequence":
      return node.parts.reduce<string | undefined>((before, part) => join(before, text(part, least)), "");
    case "alternatives":
      return node.parts.map((part) => text(part, least)).find((sample) => sample !== undefined);
    case "repeat": {
      const once = text(node.part, least);
      return once?.repeat(Math.max(node.min, Math.min(least, node.max ?? least)));
    }
  }
}

function join(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function character({ set }: Extract<PatternNode, { kind: "set" }>): string | undefined {
  for (const letter of LETTERS) if (set.has(letter.codePointAt(0) ?? 0)) return letter;
  for (let point = 0x21; point < 0x250; point++) if (set.has(point)) return String.fromCodePoint(point);
  return undefined;
}
