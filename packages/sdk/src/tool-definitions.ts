/** What a tools map says of its tools' arguments, in the one form that the gate checks: JSON Schema. */
import { type JsonSchema, schemaProblems } from "@saferun/core";

/** What the gate knows of an agent's tools when it loads the policies. */
export interface ToolDefinitions {
  /** Rules may name them without declaring them. */
  readonly names: readonly string[];
  /** By tool; a tool without a schema that can be checked is not in it. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** Schemas that say more than the gate can check, in words. Their tools are gated all the same. */
  readonly unchecked: readonly string[];
}

export const NO_TOOLS: ToolDefinitions = { names: [], schemas: {}, unchecked: [] };

/**
 * Own entries only. A schema that the gate cannot check in full is left to the framework, and said: a check that is half
 * the schema would look like all of it.
 */
export function toolDefinitions(tools: unknown): ToolDefinitions {
  if (typeof tools !== "object" || tools === null) return NO_TOOLS;
  const names = Object.keys(tools);
  const schemas: Record<string, JsonSchema> = {};
  const unchecked: string[] = [];
  for (const name of names) {
    const source = jsonSchemaOf(inputSchemaOf(Reflect.get(tools, name)));
    if (source === undefined) continue;
    const [problem] = schemaProblems(source);
    if (problem === undefined) schemas[name] = source;
    else
      unchecked.push(
        `the schema of \`${name}\` is left to the framework: at \`${problem.pointer}\` ${problem.message}`,
      );
  }
  return { names, schemas, unchecked };
}

function inputSchemaOf(tool: unknown): unknown {
  return typeof tool === "object" && tool !== null ? Reflect.get(tool, "inputSchema") : undefined;
}

/**
 * The AI SDK's `jsonSchema(…)`, or a Standard Schema that can print itself (zod 4 and others). Its *output* form: a
 * framework parses the model's text first, fills in defaults and transforms, and that is what reaches the gate.
 */
function jsonSchemaOf(schema: unknown): JsonSchema | undefined {
  if (typeof schema !== "object" || schema === null) return undefined;
  try {
    const plain: unknown = Reflect.get(schema, "jsonSchema");
    if (isPlain(plain)) return JSON.parse(JSON.stringify(plain)) as JsonSchema;
    const standard: unknown = Reflect.get(schema, "~standard");
    const printer: unknown = isObject(standard) ? Reflect.get(standard, "jsonSchema") : undefined;
    const print: unknown = isObject(printer) ? Reflect.get(printer, "output") : undefined;
    if (typeof print !== "function") return undefined;
    const printed: unknown = print.call(printer, { target: "draft-2020-12" });
    return isPlain(printed) ? (JSON.parse(JSON.stringify(printed)) as JsonSchema) : undefined;
  } catch {
    // A transformation has no JSON Schema: what it makes is the framework's to check.
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isPlain(value: unknown): value is object {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
}
