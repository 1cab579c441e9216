/** The schema that a first policy gives a tool: its own one, without what strangers say in it, and only where it holds. */
import { analyse, type Json, type JsonObject, runPolicyTests } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { listOf, mapOf } from "./argument-schema.ts";
import type { FoundTool } from "./found-tool.ts";
import { writePolicy } from "./write-policy.ts";

/** Nesting that is written out; what lies deeper may be anything. */
const DEPTH = 6;
/** Characters of one schema; beyond it only the arguments' names and types are written. */
const MOST = 20_000;

/** Words for people, other people's words at that, and what says nothing about which values fit. */
const SAID: ReadonlySet<string> = new Set([
  "$comment",
  "$id",
  "$schema",
  "contentEncoding",
  "contentMediaType",
  "default",
  "deprecated",
  "description",
  "example",
  "examples",
  "readOnly",
  "title",
  "writeOnly",
]);
/** What is kept of a schema that the gate does not take as a whole. */
const PLAIN: ReadonlySet<string> = new Set([
  "type",
  "properties",
  "required",
  "items",
  "enum",
  "const",
  "minimum",
  "maximum",
]);
const MAPS: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs", "definitions"]);
const LISTS: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const PARTS: ReadonlySet<string> = new Set([
  "items",
  "additionalProperties",
  "propertyNames",
  "not",
  "if",
  "then",
  "else",
]);

type Keeps = (keyword: string) => boolean;
const ALL: Keeps = (keyword) => !SAID.has(keyword);
const FEW: Keeps = (keyword) => PLAIN.has(keyword);

/**
 * The same tool with the strictest of its schemas that loads without a finding and, where there is one, takes the tool's
 * test; without a schema where none does.
 */
export function withSchema(tool: FoundTool): FoundTool {
  const { schema, ...plain } = tool;
  if (schema === undefined || !speaks(schema)) return plain;
  const forms = [reduced(schema, ALL, DEPTH), reduced(schema, FEW, DEPTH), reduced(schema, FEW, 2)];
  const candidates = forms
    .filter((form) => JSON.stringify(form).length <= MOST)
    .flatMap((form) => [
      { ...plain, schema: form },
      { ...plain, schema: form, untested: true },
    ]);
  return candidates.find(holds) ?? plain;
}

/** An object of which nothing is said would refuse every argument. */
function speaks({ type, properties, additionalProperties }: JsonObject): boolean {
  return (type === undefined || type === "object") && (properties !== undefined || additionalProperties === false);
}

function holds(tool: FoundTool): boolean {
  const { text } = writePolicy({ source: "one tool", tools: [tool] });
  const loaded = loadPolicies([{ file: "policies.yaml", text }], { hash: nodeHash, analyse });
  if (!loaded.ok || loaded.warnings.length > 0) return false;
  return runPolicyTests(loaded.policies, loaded.documents, nodeHash).every(({ ok }) => ok);
}

function reduced(schema: JsonObject, keeps: Keeps, depth: number): JsonObject {
  if (depth === 0) return {};
  const inner = (part: Json): Json => (isMap(part) ? reduced(part, keeps, depth - 1) : part);
  const kept = Object.entries(schema)
    .filter(([keyword]) => keeps(keyword))
    .map(([keyword, value]): [string, Json] => {
      if (MAPS.has(keyword)) return [keyword, mapped(mapOf(value), inner)];
      if (LISTS.has(keyword)) return [keyword, listOf(value).map(inner)];
      return [keyword, PARTS.has(keyword) ? inner(value) : value];
    });
  return Object.fromEntries(kept);
}

function mapped(map: JsonObject, each: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, each(value)]));
}

function isMap(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
