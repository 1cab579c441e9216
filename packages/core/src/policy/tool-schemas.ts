/** Where a tool's argument schema comes from, and what it says to conditions. */
import type { Span } from "../decision.ts";
import type { Json } from "../value/json.ts";
import { type Issues, quote } from "./issue.ts";
import type { FrameworkTool, SchemaModel } from "./model.ts";
import { celTypeOf } from "./schema/cel-type.ts";
import { parseSchema } from "./schema/parse.ts";
import type { ArgumentValidator, JsonSchema } from "./schema/types.ts";
import type { PlacedJson } from "./shape.ts";

/** The JSON in a file that a policy file names: `path` as written there, `file` the policy file. @throws Error when it cannot be read */
export type ReadSchema = (path: string, file: string) => Json;

export interface SchemaSources {
  /** The framework's own definitions, by tool. Used where the policies give no schema for the tool. */
  readonly toolSchemas?: Readonly<Record<string, JsonSchema>>;
  /** The framework's own validators, by tool: asked as well, whatever schema there is. In process only. */
  readonly validators?: Readonly<Record<string, ArgumentValidator>>;
  /** Absent: a policy that names a schema file does not load. */
  readonly readSchema?: ReadSchema;
}

/** `schema:` of a `tools:` entry: a file's path, or the schema itself. Null with the issues said. */
export function declaredSchema(
  tool: string,
  written: string | PlacedJson,
  span: Span,
  sources: SchemaSources,
  issues: Issues,
): SchemaModel | null {
  if (typeof written !== "string") return schemaModel(tool, written.value, written.span, issues);
  if (sources.readSchema === undefined) {
    issues.error("schema-file", span, `the schema file ${quote(written)} cannot be read here; write the schema itself`);
    return null;
  }
  try {
    return schemaModel(tool, sources.readSchema(written, span.file), span, issues);
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll(/\s+/g, " ") : "unreadable";
    issues.error("schema-file", span, `the schema file ${quote(written)} cannot be read: ${why}`);
    return null;
  }
}

/** Everything that the framework says of its tools. `span` is where problems are shown: the definitions have no file. */
export function frameworkTools(
  sources: SchemaSources,
  declared: (tool: string) => boolean,
  span: Span,
  issues: Issues,
): ReadonlyMap<string, FrameworkTool> {
  const { toolSchemas = {}, validators = {} } = sources;
  const names = new Set([...Object.keys(toolSchemas), ...Object.keys(validators)]);
  const tools = new Map<string, FrameworkTool>();
  for (const name of names) {
    const source = Object.hasOwn(toolSchemas, name) ? toolSchemas[name] : undefined;
    const validator = Object.hasOwn(validators, name) ? validators[name] : undefined;
    const used = source !== undefined && !declared(name.normalize("NFC"));
    const schema = used ? schemaModel(name, source, span, issues, "; or give the tool a `schema` of your own") : null;
    tools.set(name.normalize("NFC"), { schema, validator: validator ?? null });
  }
  return tools;
}

/** What of a schema this gate cannot check, by JSON pointer; empty where it can be checked in full. */
export function schemaProblems(source: Json): readonly { readonly pointer: string; readonly message: string }[] {
  const parsed = parseSchema(source);
  return parsed.ok ? [] : parsed.issues;
}

function schemaModel(tool: string, source: Json, span: Span, issues: Issues, advice = ""): SchemaModel | null {
  const parsed = parseSchema(source);
  if (parsed.ok) {
    return { source: source as JsonSchema, schema: parsed.schema, args: argumentsType(celTypeOf(parsed.schema)) };
  }
  for (const { pointer, message } of parsed.issues) {
    issues.error("schema", span, `schema of ${quote(tool)} at ${quote(pointer)}: ${message}${advice}`);
  }
  return null;
}

/** Arguments are an object whatever the schema says. */
function argumentsType(type: SchemaModel["args"]): SchemaModel["args"] {
  return type.kind === "object" || type.kind === "map" ? type : { kind: "object", fields: {}, open: true };
}
