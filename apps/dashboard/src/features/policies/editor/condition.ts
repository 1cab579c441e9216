/** What is offered inside a condition: variables, fields, arguments and their values, functions. Read from its end alone. */
import type { Completion } from "@codemirror/autocomplete";
import { type ConditionWords, type Json, type JsonObject, KNOWN_UNITS } from "@saferun/core";
import { keysOf, shapesAt, withItems, wordsOf } from "./schema.ts";

type CelType = ConditionWords["variables"][string];

const PATH = String.raw`[A-Za-z_]\w*(?:\.\??\w+|\[\d+\])*`;
/** `args.reason == "du`, `args.reason in ["duplicate", "`. */
const VALUE = new RegExp(String.raw`(${PATH})\s*(?:[=!]=|in\s*\[[^\]]*?)\s*(["'])?[\w-]*$`);
const MEMBER = new RegExp(String.raw`(${PATH})\.\??\w*$`);
const NAME = /(?:^|[^\w."'])\w*$/;

/** Of a value that somebody types: `text` is the file up to the cursor, `path` where it stands. */
export function conditionOptions(
  words: ConditionWords,
  text: string,
  path: readonly (string | number)[],
): Completion[] {
  const schemas = argumentsOf(words, text);
  const line = text.slice(text.lastIndexOf("\n") + 1);
  const value = VALUE.exec(line);
  const known = value === null ? [] : valuesOf(schemas, value[1] ?? "");
  if (known.length > 0) {
    const quote = quoteIn(line);
    const inside = value?.[2] !== undefined;
    return known.map((word) => ({ label: word, type: "enum", apply: inside ? word : `${quote}${word}${quote}` }));
  }
  if (insideText(line)) return [];
  const member = MEMBER.exec(line)?.[1];
  if (member !== undefined) return membersOf(words, schemas, member);
  if (!NAME.test(line)) return [];
  const bound = path.includes("bind");
  const units = path.includes("units") || path.at(-1) === "unit" ? KNOWN_UNITS : [];
  const variables = Object.keys(words.variables).filter((name) => !bound || BINDABLE.has(name));
  return [
    ...units.map((label) => ({ label, type: "enum" })),
    ...variables.map((label) => ({ label, type: "variable" })),
    ...words.definitions.map((label) => ({ label, type: "constant" })),
    ...words.functions.filter(({ method }) => !method).map(functionOption),
    { label: "has", type: "function", detail: words.macros.has ?? "", apply: "has(" },
  ];
}

/** What `bind` may read. */
const BINDABLE: ReadonlySet<string> = new Set(["context", "principal", "agent", "env", "run"]);

function membersOf(words: ConditionWords, schemas: readonly Json[], path: string): Completion[] {
  const [root = "", ...steps] = stepsOf(path);
  if (root === "args") {
    const shapes = schemas.flatMap((schema) => shapesAt(schema, steps));
    const fields = keysOf(shapes).map(({ word, about }) => ({ label: word, type: "property", info: about }));
    return fields.length > 0
      ? fields
      : methodsOf(
          words,
          shapes.map(({ type }) => type),
        );
  }
  const type = steps.reduce<CelType | undefined>(memberOf, words.variables[root]);
  if (type?.kind === "object") {
    return Object.entries(type.fields).map(([label, { kind }]) => ({ label, type: "property", detail: kind }));
  }
  return methodsOf(words, [type?.kind]);
}

/** Of a text its own, of a list those that go over it; where nothing is known, all. */
function methodsOf(words: ConditionWords, types: readonly (Json | undefined)[]): Completion[] {
  const only = new Set(types.map((type) => (type === "array" ? "list" : type)));
  const fits = (kind: string) => only.size === 0 || only.has(kind) || only.has("dyn") || only.has(undefined);
  const methods = words.functions.flatMap((one) => {
    const signatures = one.signatures.filter((signature) => fits(/^(\w+)\./.exec(signature)?.[1] ?? ""));
    return one.method && signatures.length > 0 ? [functionOption({ ...one, signatures })] : [];
  });
  const macros = Object.entries(words.macros).filter(([name]) => name !== "has" && fits("list"));
  return [
    ...methods,
    ...macros.map(([label, form]) => ({ label, type: "function", detail: form, apply: `${label}(` })),
  ];
}

function functionOption({ name, signatures, about }: ConditionWords["functions"][number]): Completion {
  return { label: name, type: "function", detail: signatures[0] ?? "", info: about, apply: `${name}(` };
}

function memberOf(type: CelType | undefined, step: string | number): CelType | undefined {
  if (type?.kind === "object") return Object.hasOwn(type.fields, step) ? type.fields[step] : undefined;
  if (type?.kind === "list") return type.item;
  return type?.kind === "map" ? type.value : undefined;
}

function valuesOf(schemas: readonly Json[], path: string): readonly string[] {
  const [root, ...steps] = stepsOf(path);
  if (root !== "args") return [];
  return wordsOf(withItems(schemas.flatMap((schema) => shapesAt(schema, steps)))).map(({ word }) => word);
}

function stepsOf(path: string): (string | number)[] {
  const steps = path.split(/[.?[\]]+/).filter((step) => step !== "");
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** Those of the tools that the same rule names before; of all tools where it names none, or one by a pattern. */
function argumentsOf({ args }: ConditionWords, text: string): readonly JsonObject[] {
  const rule = text.slice(Math.max(0, text.search(/\n[ \t]*- (?![\s\S]*\n[ \t]*- )/)));
  const named = /(?:^|[\s{,])tool:\s*(\[[^\]]*\]|[^\s,}]+)/.exec(rule)?.[1]?.match(/[\w.*/-]+/g) ?? [];
  const known = named.flatMap((tool) => (Object.hasOwn(args, tool) ? [args[tool]] : []));
  return (known.length > 0 ? known : Object.values(args)).flatMap((schema) => (isMap(schema) ? [schema] : []));
}

/** In a YAML text of double quotes the condition's own are single. */
function quoteIn(line: string): string {
  return /:\s*"/.test(line) ? "'" : '"';
}

/** An odd number of the condition's own quotes is open. */
function insideText(line: string): boolean {
  const quote = quoteIn(line);
  const own = line.slice(Math.max(0, line.search(/:\s/))).replace(/^:\s*["']/, "");
  return (own.split(quote).length - 1) % 2 === 1;
}

function isMap(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
