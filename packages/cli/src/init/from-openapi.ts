/** Operations of an OpenAPI description as tools. */
import type { Json, JsonObject } from "@saferun/core";
import { failed } from "../exit.ts";
import { listOf, mapOf, numberArguments, sampleArguments } from "./argument-schema.ts";
import type { FoundTool } from "./found-tool.ts";

/** HTTP itself says that these change nothing (RFC 9110, 9.2.1), so that the description's author does. */
const SAFE: readonly string[] = ["get", "head", "options"];
const METHODS: readonly string[] = [...SAFE, "post", "put", "patch", "delete"];
/** References inside of references that are followed. */
const DEPTH = 12;

export function toolsOfOpenApi(document: JsonObject): readonly FoundTool[] {
  const version = document.openapi ?? document.swagger;
  if (typeof version !== "string")
    throw failed("init.source", "it has neither `openapi` nor `swagger`: no OpenAPI description");
  const tools = Object.entries(mapOf(document.paths)).flatMap(([path, item]) => {
    const shared = listOf(mapOf(item).parameters);
    return Object.entries(mapOf(item)).flatMap(([method, operation]) =>
      METHODS.includes(method) ? [toolOf(document, { method, path, shared, operation: mapOf(operation) })] : [],
    );
  });
  if (tools.length === 0) throw failed("init.empty", "there are no operations in this OpenAPI description");
  return tools;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly shared: readonly Json[];
  readonly operation: JsonObject;
}

function toolOf(document: JsonObject, { method, path, shared, operation }: Operation): FoundTool {
  const { operationId, summary, description } = operation;
  const parameters = [...shared, ...listOf(operation.parameters)];
  const schema = withPlaces(path, argumentsOf(document, parameters, mapOf(operation.requestBody)));
  const said = typeof summary === "string" ? summary : description;
  const verb = `${method.toUpperCase()} ${path}`;
  return {
    name: typeof operationId === "string" && operationId !== "" ? operationId : nameOf(method, path),
    kind: SAFE.includes(method) ? "read" : method === "delete" ? "destructive" : "write",
    why: SAFE.includes(method) ? `${verb}: HTTP defines the method as one that changes nothing` : verb,
    ...(typeof said === "string" ? { description: said } : {}),
    numbers: numberArguments(schema),
    sample: sampleArguments(schema),
    schema,
  };
}

/** `get /orders/{id}/items` → `get_orders_id_items`. */
function nameOf(method: string, path: string): string {
  return [method, ...path.split(/[^A-Za-z0-9]+/).filter((piece) => piece !== "")].join("_");
}

/** Parameters and the fields of a JSON body, in one object: how most clients hand them over. */
function argumentsOf(document: JsonObject, parameters: readonly Json[], requestBody: JsonObject): JsonObject {
  const named = parameters.flatMap((item) => {
    const parameter = resolve(document, item, 0);
    const { name } = parameter;
    if (typeof name !== "string" || parameter.in === "header" || parameter.in === "cookie") return [];
    const schema = parameter.in === "body" ? mapOf(parameter.schema) : { ...mapOf(parameter.schema ?? parameter) };
    return [
      {
        name,
        body: parameter.in === "body",
        required: parameter.required === true,
        schema: resolve(document, schema, 0),
      },
    ];
  });
  const content = mapOf(resolve(document, requestBody, 0).content);
  const [json] = Object.entries(content).filter(([type]) => type.includes("json"));
  const body = resolve(document, mapOf(json?.[1]).schema ?? {}, 0);
  const bodies = [body, ...named.filter((one) => one.body).map((one) => one.schema)];
  const plain = named.filter((one) => !one.body);
  return {
    type: "object",
    properties: Object.fromEntries([
      ...plain.map(({ name, schema }) => [name, schema] as const),
      ...bodies.flatMap((one) => Object.entries(mapOf(one.properties))),
    ]),
    required: [
      ...plain.filter((one) => one.required).map(({ name }) => name),
      ...bodies.flatMap((one) => listOf(one.required)),
    ],
  };
}

/** The path's own `{places}` are arguments, also where the description forgets to declare them. */
function withPlaces(path: string, schema: JsonObject): JsonObject {
  const places = [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => [name, {}] as const);
  return { ...schema, properties: { ...Object.fromEntries(places), ...mapOf(schema.properties) } };
}

/** A schema with its local references replaced, as far as it is not endless. */
function resolve(document: JsonObject, node: Json, depth: number): JsonObject {
  const map = mapOf(node);
  if (depth >= DEPTH) return {};
  const target = typeof map.$ref === "string" ? pointed(document, map.$ref) : undefined;
  if (target !== undefined) return resolve(document, target, depth + 1);
  const parts = listOf(map.allOf).map((part) => resolve(document, part, depth + 1));
  const inside = Object.entries(mapOf(map.properties)).map(
    ([name, one]) => [name, resolve(document, one, depth + 1)] as const,
  );
  const properties = {
    ...Object.assign({}, ...parts.map((part) => mapOf(part.properties))),
    ...Object.fromEntries(inside),
  };
  const required = [
    ...listOf(map.required === true ? undefined : map.required),
    ...parts.flatMap((part) => listOf(part.required)),
  ];
  return {
    ...Object.assign({}, ...parts),
    ...map,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
    ...(map.items === undefined ? {} : { items: resolve(document, map.items, depth + 1) }),
  };
}

/** `#/components/schemas/Order`. Other files are not read. */
function pointed(document: JsonObject, reference: string): Json | undefined {
  if (!reference.startsWith("#/")) return undefined;
  let node: Json | undefined = document;
  for (const piece of reference.slice(2).split("/")) {
    const key = decodeURIComponent(piece).replaceAll("~1", "/").replaceAll("~0", "~");
    const map: JsonObject = mapOf(node);
    node = Object.hasOwn(map, key) ? map[key] : undefined;
  }
  return node;
}
