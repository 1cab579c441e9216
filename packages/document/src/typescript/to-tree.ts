/** Values of a program → nodes of the policy tree. Whatever no file could hold is an issue, and nothing is skipped. */
import {
  LIMITS,
  type MapEntry,
  type PolicyIssue,
  printCel,
  type ScalarNode,
  type Span,
  type TreeNode,
} from "@saferun/core";
import type { Problem } from "./build-error.ts";
import { build } from "./condition.ts";
import { AT } from "./literal.ts";

/** Stands for something that is declared elsewhere by its name. */
export abstract class Named {
  abstract readonly name: string;
}

/** Where values are written, and what was found wrong with them. */
export class Place {
  readonly span: Span;
  /** The rule that everything here belongs to. */
  readonly rule: string | undefined;
  readonly issues: PolicyIssue[] = [];

  constructor(span: Span, rule?: string) {
    this.span = span;
    this.rule = rule;
  }

  report({ code, message }: Problem): void {
    const { file, line, column } = this.span;
    const rule = this.rule === undefined ? undefined : { rule: this.rule };
    this.issues.push({ code, severity: "error", file, line, column, ...rule, message });
  }
}

export function scalar(value: ScalarNode["value"], { span }: Place, text = String(value)): ScalarNode {
  return { kind: "scalar", span, text, value, segments: [] };
}

export function entry(key: string, value: TreeNode): MapEntry {
  return { key, keySpan: value.span, value };
}

/** An own property that holds `undefined` is what an empty value is in a file: an error, not "absent". */
export function nodeOf(value: unknown, place: Place, depth = 0): TreeNode {
  if (depth > LIMITS.policyDepth) {
    place.report({ code: "limit", message: `the policy is nested deeper than ${LIMITS.policyDepth} levels` });
    return scalar(null, place);
  }
  switch (typeof value) {
    case "undefined":
      return scalar(null, place, "");
    case "string":
      if (!value.isWellFormed()) place.report({ code: "syntax", message: "a text is not well-formed" });
      return scalar(value.toWellFormed(), place);
    case "number":
    case "boolean":
      return scalar(value, place);
    case "object":
    case "function":
      return value === null ? scalar(null, place) : objectNode(value, place, depth);
    default:
      return refused(`a ${typeof value}`, place);
  }
}

function objectNode(value: object, place: Place, depth: number): TreeNode {
  if (value instanceof Named) return scalar(value.name, place);
  const built = conditionNode(value, place);
  if (built !== undefined) return built;
  if (Array.isArray(value)) {
    return { kind: "list", span: place.span, items: Array.from(value, (item) => nodeOf(item, place, depth + 1)) };
  }
  return mapNode(value, place, depth);
}

function mapNode(map: object, place: Place, depth: number): TreeNode {
  const prototype: unknown = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) return refused("an object that is not plain", place);
  const entries = Object.entries(map).map(([key, item]) => entry(key, nodeOf(item, place, depth + 1)));
  return { kind: "map", span: place.span, entries };
}

function refused(what: string, place: Place): TreeNode {
  place.report({ code: "wrong-type", message: `a policy cannot hold ${what}` });
  return scalar(null, place);
}

/** The node of what builds a condition; undefined for everything else. */
function conditionNode(value: object, place: Place): ScalarNode | undefined {
  const built = build(value);
  switch (built?.kind) {
    case undefined:
      return undefined;
    case "text":
      return scalar(built.text, place);
    case "opaque":
      return { ...scalar(opaqueName(place.rule ?? "", built.version), place), opaque: built.test };
    case "failed":
      for (const problem of built.problems) place.report(problem);
      // Any condition that parses: the policy does not load, and its other issues are reported as well.
      return scalar("false", place);
  }
}

/** CEL that names the function and is never evaluated. */
function opaqueName(rule: string, version: string): string {
  const args = [rule, version].map((value) => ({ kind: "literal", value, ...AT }) as const);
  return printCel({ kind: "call", target: null, name: "opaque", nameStart: 0, args, ...AT });
}
