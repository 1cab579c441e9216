/**
 * What a tools map says of its tools' arguments: JSON Schema, which conditions can be checked against, and the tool's own
 * validator, which knows what JSON Schema cannot say.
 *
 * What reaches the gate is what the framework has made of the model's text: parsed, defaults filled in, transformed. So
 * a schema's *output* form is what the gate checks, and a validator is asked only where its answer to its own output is
 * its output.
 */
import {
  type ArgumentValidator,
  isStandardSchema,
  type JsonSchema,
  type StandardSchema,
  schemaProblems,
  standardValidator,
} from "@saferun/core";

/** What the gate knows of an agent's tools when it loads the policies. */
export interface ToolDefinitions {
  /** Rules may name them without declaring them. */
  readonly names: readonly string[];
  /** By tool; a tool without a schema that can be checked is not in it. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** By tool: asked about what would run, beside all schemas. */
  readonly validators: Readonly<Record<string, ArgumentValidator>>;
  /** Schemas that say more than the gate can check, in words. Their tools are gated all the same. */
  readonly unchecked: readonly string[];
}

export const NO_TOOLS: ToolDefinitions = { names: [], schemas: {}, validators: {}, unchecked: [] };

/** Own entries only. What the gate cannot check in full is left to the framework, and said. */
export function toolDefinitions(tools: unknown): ToolDefinitions {
  if (typeof tools !== "object" || tools === null) return NO_TOOLS;
  const names = Object.keys(tools);
  const schemas: Record<string, JsonSchema> = {};
  const validators: Record<string, ArgumentValidator> = {};
  const unchecked: string[] = [];
  for (const name of names) {
    const { schema, validator, left } = checkableOf(Reflect.get(tools, name));
    if (schema !== undefined) schemas[name] = schema;
    if (validator !== undefined) validators[name] = validator;
    if (left !== undefined) unchecked.push(`the schema of \`${name}\` is left to the framework: ${left}`);
  }
  return { names, schemas, validators, unchecked };
}

/** What the gate can check of one schema; `left` says what it cannot. */
interface Checkable {
  readonly schema?: JsonSchema;
  readonly validator?: ArgumentValidator;
  readonly left?: string;
}

function checkableOf(tool: unknown): Checkable {
  try {
    const schema = inputSchemaOf(tool);
    if (isStandardSchema(schema)) return standardCheckable(schema);
    if (!isObject(schema)) return {};
    const plain: unknown = Reflect.get(schema, "jsonSchema");
    if (isPlain(plain)) return whole(copied(plain));
    return plain === undefined ? {} : { left: "its JSON Schema is known only later" };
  } catch {
    return { left: "it cannot be read" };
  }
}

function inputSchemaOf(tool: unknown): unknown {
  const schema: unknown = isObject(tool) ? Reflect.get(tool, "inputSchema") : undefined;
  // The AI SDK takes a schema that is made when it is first needed.
  return typeof schema === "function" && !isStandardSchema(schema) ? Reflect.apply(schema, undefined, []) : schema;
}

/** Zod 4, arktype, valibot with `toStandardJsonSchema`, and all others that speak Standard Schema. */
function standardCheckable(schema: StandardSchema): Checkable {
  const input = printed(schema, "input");
  const output = printed(schema, "output");
  // Nothing is known of its forms: what it would make of a value otherwise than it is, it refuses.
  if (input === undefined && output === undefined) return { validator: standardValidator(schema) };
  // What it makes of a value is another value, or one that only it knows: asked about that, it would refuse.
  if (output === undefined)
    return { left: "it transforms what a model writes, and what it makes of it has no JSON Schema" };
  if (input === undefined || essence(input) !== essence(output)) return whole(output);
  const [problem, schemaPart] = withoutForeignTexts(output);
  const validator = standardValidator(schema);
  return problem === undefined ? { schema: schemaPart, validator } : { validator };
}

/** A check that is half the schema would look like all of it. */
function whole(schema: JsonSchema): Checkable {
  const [problem] = schemaProblems(schema);
  return problem === undefined ? { schema } : { left: `at \`${problem.pointer}\` ${problem.message}` };
}

/** Patterns and formats that the gate does not know are left out, where a validator judges them. */
function withoutForeignTexts(schema: JsonSchema): readonly [problem: string | undefined, schema: JsonSchema] {
  const copy = copied(schema);
  for (let round = 0; round < MOST_FOREIGN; round++) {
    const [problem] = schemaProblems(copy);
    if (problem === undefined) return [undefined, copy];
    const steps = problem.pointer.replace(/^#\/?/, "").split("/").map(unescaped);
    const keyword = steps.pop();
    const place = steps.reduce<unknown>((at, step) => (isObject(at) ? Reflect.get(at, step) : undefined), copy);
    const isForeign = (keyword === "pattern" || keyword === "format") && isObject(place);
    if (!isForeign || !Reflect.deleteProperty(place, keyword)) return [problem.message, copy];
  }
  return ["too many patterns", copy];
}

const MOST_FOREIGN = 200;

function unescaped(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

type Form = "input" | "output";

/** Undefined where the library has no such form, or none that is JSON. */
function printed(schema: StandardSchema, form: Form): JsonSchema | undefined {
  try {
    const printer: unknown = Reflect.get(schema["~standard"], "jsonSchema");
    const print: unknown = isObject(printer) ? Reflect.get(printer, form) : undefined;
    if (typeof print !== "function") return undefined;
    const made: unknown = Reflect.apply(print, printer, [{ target: "draft-2020-12" }]);
    return isPlain(made) ? copied(made) : undefined;
  } catch {
    return undefined;
  }
}

/** A schema without what parsing fills in and strips: equal for both forms of one that transforms nothing. */
function essence(schema: JsonSchema): string {
  return JSON.stringify(schema, (key, value: unknown) => (isFilledIn(key, value) ? undefined : value));
}

/** The keyword, and no property of that name. */
function isFilledIn(key: string, value: unknown): boolean {
  if (key === "required") return Array.isArray(value);
  return (key === "additionalProperties" || key === "default" || key === "$schema") && !isObject(value);
}

function copied(value: object | boolean): JsonSchema {
  return JSON.parse(JSON.stringify(value)) as JsonSchema;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isPlain(value: unknown): value is object {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
}
