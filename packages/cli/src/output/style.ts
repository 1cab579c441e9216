/** Colours, or the same text without them. Colour never carries what the words do not say. */
import { styleText } from "node:util";

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly wait: (text: string) => string;
}

export function createStyle(colours: boolean): Style {
  const paint = (format: "bold" | "dim" | "green" | "red" | "yellow") => (text: string) =>
    colours ? styleText(format, text, { validateStream: false }) : text;
  return { bold: paint("bold"), dim: paint("dim"), good: paint("green"), bad: paint("red"), wait: paint("yellow") };
}

/** Where a verdict, a state or an outcome stands: fine, refused, or waiting for somebody. */
export function tone(style: Style, word: string): string {
  if (["allow", "approve", "approved", "approved and used", "succeeded"].includes(word)) return style.good(word);
  if (["deny", "denied", "failed", "expired", "withdrawn", "unknown", "lost", "refused"].includes(word))
    return style.bad(word);
  return style.wait(word);
}
