/**
 * The plainest list items of a file, read without the `yaml` package: maps of `key: text`, one pair a line, as most rules of
 * a large file are written. Reading ten thousand of them by the package alone takes longer than a whole reload may.
 *
 * What an item means depends on what stands around it, so that the package decides about every item all the same: it reads
 * the file with each run of them replaced by a single `- 0`, at the same offsets. Only where that `0` turns up as an item of a
 * block list were they items; inside a text or a comment it does not. Everything that is not surely plain stays as it is.
 */
import type { MapEntry, TreeNode } from "@saferun/core";
import type { SourceText } from "./source-text.ts";

/** The file without its plain items, and what they are. */
export class PlainItems {
  /** As long as the file's text; what stands outside of plain items stands at its own offset. */
  readonly outline: string;
  readonly #runs: Map<number, readonly TreeNode[]>;

  constructor(outline: string, runs: Map<number, readonly TreeNode[]>) {
    this.outline = outline;
    this.#runs = runs;
  }

  /** The items that the list item at this offset stands for; undefined where it stands for itself. Each is given once. */
  take(offset: number): readonly TreeNode[] | undefined {
    const items = this.#runs.get(offset);
    this.#runs.delete(offset);
    return items;
  }

  /** Whether some are left: what looked like items was something else. */
  get left(): boolean {
    return this.#runs.size > 0;
  }
}

/** Undefined where the file has no plain items. */
export function findPlainItems(source: SourceText): PlainItems | undefined {
  return new Finder(source).find();
}

interface Item {
  /** Spaces before its `-`. */
  readonly indent: number;
  readonly node: TreeNode;
  /** Where the line behind it begins, and that line's number. */
  readonly end: number;
  readonly line: number;
}

interface Run {
  readonly start: number;
  readonly indent: number;
  readonly items: TreeNode[];
  /** Without the last line break. */
  end: number;
}

/**
 * Groups: indentation, `- `, key, text in double quotes, in single quotes, without quotes. A text without quotes begins with a
 * letter, hence is no number and carries no sign of YAML's.
 */
const PAIR =
  /( *)(- )?([A-Za-z_][A-Za-z0-9_-]{0,63}): (?:"((?:[^"\\\p{Cc}]|\\["\\])*)"|'((?:[^'\p{Cc}]|'')*)'|([A-Za-z_]\P{Cc}*))\n/uy;
/** What ends a text without quotes, or is cut off at its end. */
const ENDS_TEXT = /: | #|[: ]$/;
const NO_TEXT = /^(?:null|true|false)$/i;
/** A line that decides nothing. One at a time: a pattern that repeats over a million lines exhausts its stack. */
const IDLE = / *(?:#[^\n]*)?\n/y;
/** Keys are compared with one another. */
const MOST_PAIRS = 32;

class Finder {
  readonly #source: SourceText;
  readonly #pieces: string[] = [];
  readonly #runs = new Map<number, readonly TreeNode[]>();
  /** A few keys stand there ten thousand times. */
  readonly #keys = new Map<string, string>();
  #copied = 0;

  constructor(source: SourceText) {
    this.#source = source;
  }

  find(): PlainItems | undefined {
    const { text } = this.#source;
    let run: Run | undefined;
    let at = 0;
    for (let line = 1; at < text.length; ) {
      const item = this.#item(at, line);
      if (item !== undefined && this.#endsAt(item)) {
        if (run?.indent !== item.indent) {
          this.#close(run);
          run = { start: at, indent: item.indent, items: [], end: at };
        }
        run.items.push(item.node);
        run.end = item.end - 1;
        ({ end: at, line } = item);
        continue;
      }
      // Empty lines may stand between the items of a run.
      if (text[at] !== "\n") {
        this.#close(run);
        run = undefined;
      }
      at = text.indexOf("\n", at) + 1;
      line++;
      if (at === 0) break;
    }
    this.#close(run);
    if (this.#runs.size === 0) return undefined;
    return new PlainItems([...this.#pieces, text.slice(this.#copied)].join(""), this.#runs);
  }

  #close(run: Run | undefined): void {
    if (run === undefined) return;
    const { start, end, indent, items } = run;
    // A comment is the fastest to pass over.
    const placeholder = `${" ".repeat(indent)}- 0 #`;
    this.#pieces.push(this.#source.text.slice(this.#copied, start), placeholder.padEnd(end - start));
    this.#copied = end;
    this.#runs.set(start + indent + 2, items);
  }

  /** Whether nothing behind the item can belong to it. */
  #endsAt({ end, indent }: Item): boolean {
    const { text } = this.#source;
    let at = end;
    for (IDLE.lastIndex = at; IDLE.test(text); IDLE.lastIndex = at) at = IDLE.lastIndex;
    const lineStart = at;
    while (text[at] === " ") at++;
    return at === text.length || (text[at] !== "\t" && at - lineStart <= indent);
  }

  /** The item that begins with this line. */
  #item(start: number, firstLine: number): Item | undefined {
    const { text, file } = this.#source;
    const entries: MapEntry[] = [];
    let indent = 0;
    let at = start;
    let line = firstLine;
    for (; ; line++) {
      PAIR.lastIndex = at;
      const [whole, spaces, dash, key, double, single, bare] = PAIR.exec(text) ?? [];
      if (whole === undefined || spaces === undefined || key === undefined) break;
      if ((dash !== undefined) !== (at === start)) break;
      if (dash !== undefined) indent = spaces.length;
      else if (spaces.length !== indent + 2) break;
      const value = double?.replaceAll(/\\(.)/g, "$1") ?? single?.replaceAll("''", "'") ?? bare ?? "";
      if (bare !== undefined && (ENDS_TEXT.test(bare) || NO_TEXT.test(bare))) return undefined;
      if (NO_TEXT.test(key) || entries.some((entry) => entry.key === key)) return undefined;
      if (entries.length === MOST_PAIRS) return undefined;
      const column = indent + 3;
      const keySpan = { file, line, column };
      const span = { file, line, column: column + key.length + 2 };
      const segment = { offset: 0, line, column: bare === undefined ? span.column + 1 : span.column };
      entries.push({
        key: this.#sameKey(key),
        keySpan,
        value: { kind: "scalar", span, text: value, value, segments: [segment] },
      });
      at += whole.length;
    }
    const [first] = entries;
    return first && { indent, node: { kind: "map", span: first.keySpan, entries }, end: at, line };
  }

  #sameKey(key: string): string {
    const known = this.#keys.get(key);
    if (known === undefined) this.#keys.set(key, key);
    return known ?? key;
  }
}
