/** Nodes of the `yaml` package → nodes of the policy tree, without anchors, aliases, tags, or keys that are no text. */
import { LIMITS, type MapEntry, type ScalarNode, type Segment, type TreeNode } from "@saferun/core";
import { type Alias, isAlias, isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import type { PlainItems } from "./plain-items.ts";
import type { Problems, SourceText } from "./source-text.ts";

type YamlNode = Alias | Scalar | YAMLMap | YAMLSeq;

/** `plain`: the items that were read already, and stand in the document as placeholders. */
export function convert(root: unknown, source: SourceText, problems: Problems, plain?: PlainItems): TreeNode {
  return new Converter(source, problems, plain).node(root, 0, 0);
}

class Converter {
  readonly #source: SourceText;
  readonly #problems: Problems;
  readonly #plain: PlainItems | undefined;

  constructor(source: SourceText, problems: Problems, plain: PlainItems | undefined) {
    this.#source = source;
    this.#problems = problems;
    this.#plain = plain;
  }

  /** `offset`: where the node would stand if it is absent. */
  node(node: unknown, depth: number, offset: number): TreeNode {
    if (isAlias(node)) {
      this.#problems.add(
        "yaml-alias",
        startOf(node, offset),
        `the alias \`*${node.source}\` is not allowed; write it out`,
      );
      return this.#nothing(startOf(node, offset));
    }
    if (depth > LIMITS.policyDepth) {
      this.#problems.add("limit", offset, `the file is nested deeper than ${LIMITS.policyDepth} levels`);
      return this.#nothing(offset);
    }
    if (isScalar(node)) return this.#scalar(node, offset);
    if (isMap(node)) return this.#map(node, depth, offset);
    if (isSeq(node)) return this.#list(node, depth, offset);
    return this.#nothing(offset);
  }

  #nothing(offset: number): ScalarNode {
    return { kind: "scalar", span: this.#source.spanAt(offset), text: "", value: null, segments: [] };
  }

  #map(map: YAMLMap, depth: number, offset: number): TreeNode {
    const start = this.#properties(map, offset);
    const seen = new Set<string>();
    const entries: MapEntry[] = [];
    for (const pair of map.items) {
      const entry = this.#entry(pair, seen, depth, start);
      if (entry !== undefined) entries.push(entry);
    }
    return { kind: "map", span: this.#source.spanAt(start), entries };
  }

  #entry(pair: Pair, seen: Set<string>, depth: number, mapStart: number): MapEntry | undefined {
    const { key } = pair;
    const start = isYamlNode(key) ? startOf(key, mapStart) : mapStart;
    const value = this.node(pair.value, depth + 1, start);
    if (!isScalar(key) || typeof key.value !== "string") {
      this.#problems.add("yaml-key", start, "a key must be a text; put it in quotes");
      return undefined;
    }
    this.#properties(key, start);
    if (key.value === "<<") {
      this.#problems.add("yaml-merge", start, "the merge key `<<` is not allowed; write the keys out");
      return undefined;
    }
    if (seen.has(key.value)) {
      this.#problems.add("duplicate-key", start, `the key \`${key.value}\` stands there twice; keep one`);
      return undefined;
    }
    seen.add(key.value);
    return { key: key.value, keySpan: this.#source.spanAt(start), value };
  }

  #list(list: YAMLSeq, depth: number, offset: number): TreeNode {
    const start = this.#properties(list, offset);
    const items = list.items.flatMap(
      (item) => this.#plainItems(item, depth, start) ?? this.node(item, depth + 1, start),
    );
    return { kind: "list", span: this.#source.spanAt(start), items };
  }

  /** What stands where a placeholder is; undefined for any other item. */
  #plainItems(item: unknown, depth: number, offset: number): readonly TreeNode[] | undefined {
    // The items' own values are two levels further down.
    if (this.#plain === undefined || !isScalar(item) || item.source !== "0" || depth + 2 > LIMITS.policyDepth) return;
    return this.#plain.take(this.#properties(item, offset));
  }

  #scalar(scalar: Scalar, offset: number): ScalarNode {
    const start = this.#properties(scalar, offset);
    const text = scalar.source ?? "";
    const value = scalarValue(scalar.value);
    return {
      kind: "scalar",
      span: this.#source.spanAt(start),
      text,
      value,
      segments: typeof value === "string" ? this.#segments(scalar, value, start) : [],
      ...(typeof scalar.comment === "string" && this.#commentOnSameLine(scalar) ? { comment: scalar.comment } : {}),
    };
  }

  /** Says what an anchor or tag is wrong about, and where the node stands. */
  #properties(node: Exclude<YamlNode, Alias>, offset: number): number {
    const start = startOf(node, offset);
    if (node.anchor !== undefined) {
      this.#problems.add("yaml-anchor", start, `the anchor \`&${node.anchor}\` is not allowed; write each value out`);
    }
    if (node.tag !== undefined) {
      const tag = node.tag.replace(/^tag:yaml\.org,2002:/, "!!");
      const advice = tag.startsWith("!!")
        ? "is not allowed; the format knows what each key is"
        : "is read as a tag, because an unquoted `!` begins one in YAML; put the text in quotes";
      const at = this.#source.text.lastIndexOf(tag, start);
      this.#problems.add("yaml-tag", at < 0 ? start : at, `\`${tag}\` ${advice}`);
    }
    return start;
  }

  #commentOnSameLine(scalar: Scalar): boolean {
    const end = scalar.range?.[1] ?? 0;
    return /^[ \t]*#/.test(this.#source.text.slice(end, end + 80)) && (scalar.type === "PLAIN" || scalar.source === "");
  }

  /** Finds each source line's text in the value; where quoting changed it, the place before stands for it. */
  #segments(scalar: Scalar, value: string, start: number): readonly Segment[] {
    const [from, to] = scalar.range ?? [start, start];
    const written = this.#source.text.slice(from, to);
    const quoted = scalar.type === "QUOTE_SINGLE" || scalar.type === "QUOTE_DOUBLE";
    if (!written.includes("\n")) {
      const { line, column } = this.#source.spanAt(quoted ? from + 1 : from);
      return [{ offset: 0, line, column }];
    }
    const segments: Segment[] = [];
    let cursor = 0;
    let at = 0;
    for (const line of written.split("\n")) {
      const piece = quoted ? line.trim().replace(/^["']|["']$/g, "") : line.trim();
      const found = piece === "" ? -1 : value.indexOf(piece, cursor);
      if (found >= 0) {
        const { line: row, column } = this.#source.spanAt(from + at + line.indexOf(piece));
        segments.push({ offset: found, line: row, column });
        cursor = found + piece.length;
      }
      at += line.length + 1;
    }
    if (segments[0]?.offset === 0) return segments;
    const { line, column } = this.#source.spanAt(quoted ? from + 1 : from);
    return [{ offset: 0, line, column }, ...segments];
  }
}

function isYamlNode(node: unknown): node is YamlNode {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
}

function startOf(node: YamlNode, otherwise: number): number {
  return node.range?.[0] ?? otherwise;
}

function scalarValue(value: unknown): ScalarNode["value"] {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}
