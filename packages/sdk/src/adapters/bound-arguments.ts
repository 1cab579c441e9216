/**
 * Arguments that the host decides are no business of a model: its tool's schema does not list them, and what it writes
 * there all the same is replaced before the schema is asked. Looked up each time a schema is read, so that policies which
 * change meanwhile are followed.
 */
import { isStandardSchema, type JsonObject, type StandardSchema } from "@saferun/core";
import type { Binding } from "../binding.ts";
import { type Frame, runOf, toolFrame } from "../frame.ts";

export interface BoundTool {
  readonly name: string;
  readonly binding: Binding;
  readonly frame: Frame | undefined;
}

/** How the AI SDK knows its own schemas. */
const SCHEMA = Symbol.for("vercel.ai.schema");

type Path = readonly string[];

/** The tool's own schema, or one in its place that both the AI SDK and users of Standard Schema can read. */
export function withoutBound(schema: unknown, tool: BoundTool): unknown {
  const paths = tool.binding.gate.boundPaths(tool.name).map((path) => path.split("."));
  if (paths.length === 0) return schema;
  const source = sourceOf(schema);
  // JSON Schema itself, as MCP writes it.
  if (source === null) return hiddenIn(schema, paths);
  const validate = (value: unknown) => validated(value, source, tool, paths);
  const jsonSchema = () => hiddenIn(source.print(), paths);
  return {
    [SCHEMA]: true,
    _type: undefined,
    get jsonSchema() {
      return jsonSchema();
    },
    validate: async (value: unknown) => {
      const answer = await validate(value);
      return "value" in answer
        ? { success: true, value: answer.value }
        : { success: false, error: new Error(answer.issues.map(({ message }) => message).join("; ")) };
    },
    "~standard": { version: 1, vendor: "saferun", validate, jsonSchema: { input: jsonSchema, output: jsonSchema } },
  };
}

type Answer = { readonly value: unknown } | { readonly issues: readonly { readonly message: string }[] };

/** A schema, whoever made it. */
interface Source {
  /** JSON Schema, or a promise of it. */
  print(): unknown;
  parse(value: unknown): Promise<Answer>;
}

function sourceOf(schema: unknown): Source | null {
  if (isStandardSchema(schema)) return standardSource(schema);
  if (typeof schema === "function") return sourceOf(Reflect.apply(schema, undefined, []));
  if (!isObject(schema) || !(SCHEMA in schema)) return null;
  const validate: unknown = Reflect.get(schema, "validate");
  return {
    print: () => Reflect.get(schema, "jsonSchema"),
    parse: async (value) => {
      if (typeof validate !== "function") return { value };
      const answer: unknown = await Reflect.apply(validate, schema, [value]);
      if (isObject(answer) && Reflect.get(answer, "success") === true) return { value: Reflect.get(answer, "value") };
      return { issues: [{ message: MISFIT }] };
    },
  };
}

function standardSource(schema: StandardSchema): Source {
  return {
    print: () => {
      const printer: unknown = Reflect.get(schema["~standard"], "jsonSchema");
      const print: unknown = isObject(printer) ? Reflect.get(printer, "input") : undefined;
      if (typeof print !== "function") throw new TypeError("the tool's schema has no JSON Schema to show to a model");
      return Reflect.apply(print, printer, [{ target: "draft-07" }]);
    },
    parse: async (value) => {
      const answer: unknown = await schema["~standard"].validate(value);
      if (!isObject(answer)) return { issues: [{ message: MISFIT }] };
      const issues: unknown = Reflect.get(answer, "issues");
      if (issues === undefined && "value" in answer) return { value: answer.value };
      return { issues: (Array.isArray(issues) ? issues : [{}]).map((issue) => ({ message: said(issue) })) };
    },
  };
}

const MISFIT = "the arguments do not fit the tool's schema";

/** Where, and nothing that stood there: a library's own words may quote what the host decides. */
function said(issue: unknown): string {
  const path: unknown = isObject(issue) ? Reflect.get(issue, "path") : undefined;
  if (!Array.isArray(path) || path.length === 0) return MISFIT;
  const keys = path.map((step: unknown) => String(isObject(step) ? Reflect.get(step, "key") : step).slice(0, 64));
  return `\`${keys.join(".")}\` does not fit the tool's schema`;
}

/**
 * Judged with the host's values in their places, as the tool will get them, and handed on without: the gate writes them
 * itself, and the model never reads them. Where the host does not say them the gate has to deny, so that it is asked.
 */
async function validated(value: unknown, source: Source, tool: BoundTool, paths: readonly Path[]): Promise<Answer> {
  if (!isArguments(value)) return source.parse(value);
  const { binding, frame, name } = tool;
  const whole = binding.gate.bound(runOf(binding, toolFrame(binding, frame)), name, value);
  if (whole === null) return { value };
  const answer = await source.parse(structuredClone(whole));
  return "value" in answer ? { value: paths.reduce<unknown>(without, answer.value) } : answer;
}

function without(value: unknown, path: Path): unknown {
  const [step, ...rest] = path;
  if (!isArguments(value) || step === undefined || !Object.hasOwn(value, step)) return value;
  const { [step]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...value, [step]: without(inner, rest) };
}

/** A promise of a schema stays one. */
function hiddenIn(schema: unknown, paths: readonly Path[]): unknown {
  const hide = (printed: unknown) => paths.reduce<unknown>((left, path) => hidden(left, path, printed), printed);
  return schema instanceof Promise ? schema.then(hide) : hide(schema);
}

/** Keywords whose schemas speak of the same value. */
const LISTS = ["allOf", "anyOf", "oneOf"] as const;
const PARTS = ["if", "then", "else", "not"] as const;

/** A copy that does not name the path. `root` is what references start from; `followed` those that speak of this value. */
function hidden(schema: unknown, path: Path, root: unknown, followed: readonly string[] = []): unknown {
  const [step, ...rest] = path;
  if (!isObject(schema) || step === undefined) return schema;
  const copy: Record<string, unknown> = { ...schema };
  const { $ref, ...beside } = copy;
  if (typeof $ref === "string" && !followed.includes($ref)) {
    const target = referenced($ref, root);
    if (target !== undefined) return hidden({ ...target, ...beside }, path, root, [...followed, $ref]);
  }
  if (isObject(copy.properties) && Object.hasOwn(copy.properties, step)) {
    const { [step]: inner, ...others } = copy.properties as Readonly<Record<string, unknown>>;
    copy.properties = rest.length === 0 ? others : { ...copy.properties, [step]: hidden(inner, rest, root) };
  }
  if (Array.isArray(copy.required) && rest.length === 0) {
    copy.required = copy.required.filter((name: unknown) => name !== step);
  }
  const part = (one: unknown) => hidden(one, path, root, followed);
  for (const key of LISTS) if (Array.isArray(copy[key])) copy[key] = (copy[key] as readonly unknown[]).map(part);
  for (const key of PARTS) if (key in copy) copy[key] = part(copy[key]);
  return copy;
}

/** A place in the schema itself. */
function referenced(pointer: string, root: unknown): object | undefined {
  if (!pointer.startsWith("#/")) return undefined;
  const steps = pointer.slice(2).split("/");
  const found = steps.reduce<unknown>((at, step) => {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    return isObject(at) && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined;
  }, root);
  return isObject(found) ? found : undefined;
}

function isArguments(value: unknown): value is JsonObject {
  return isObject(value) && !Array.isArray(value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
