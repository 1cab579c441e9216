/** A file's text with its lines, and the problems found in it. */
import type { PolicyIssue, Span } from "@saferun/core";

export class SourceText {
  readonly text: string;
  readonly file: string;
  readonly #lineStarts: number[] = [0];

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
  }

  /** Line and column, from 1, of an offset in UTF-16 code units. */
  spanAt(offset: number): Span {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }
}

/** Errors of one file, as they are found. */
export class Problems {
  readonly all: PolicyIssue[] = [];
  readonly #source: SourceText;

  constructor(source: SourceText) {
    this.#source = source;
  }

  add(code: string, offset: number, message: string): void {
    this.all.push({ code, severity: "error", ...this.#source.spanAt(offset), message });
  }
}
