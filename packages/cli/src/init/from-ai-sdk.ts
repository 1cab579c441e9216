/** A tools map of the AI SDK, from the module that exports it as `tools`. Its code is run by the import. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Json, JsonObject } from "@saferun/core";
import { failed } from "../exit.ts";
import { printable } from "../output/printable.ts";
import { mapOf, numberArguments, sampleArguments } from "./argument-schema.ts";
import type { FoundTool } from "./found-tool.ts";

export async function toolsOfModule(path: string, cwd: string): Promise<readonly FoundTool[]> {
  const shown = `\`${printable(path)}\``;
  const tools = field(await imported(path, cwd, shown), "tools");
  if (typeof tools !== "object" || tools === null || Object.keys(tools).length === 0) {
    throw failed("init.source", `${shown} exports no \`tools\`: a map of names to tools`);
  }
  return Promise.all(
    Object.entries(tools).map(async ([name, tool]) => {
      const schema = await schemaOf(field(tool, "inputSchema") ?? field(tool, "parameters"));
      const description = field(tool, "description");
      return {
        name,
        kind: "destructive" as const,
        why: "nothing proves what it does; set `read` or `write` if you know it",
        ...(typeof description === "string" ? { description } : {}),
        numbers: numberArguments(schema),
        sample: sampleArguments(schema),
        schema,
      };
    }),
  );
}

async function imported(path: string, cwd: string, shown: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(resolve(cwd, path)).href);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw failed("init.source", `${shown} cannot be imported: ${printable(why)}`);
  }
}

/** The JSON Schema of what the AI SDK takes as one: its own `jsonSchema(…)`, a Standard JSON Schema such as Zod's, or a plain one. */
async function schemaOf(given: unknown): Promise<JsonObject> {
  try {
    const standard = field(field(given, "~standard"), "jsonSchema");
    const input = field(standard, "input");
    const made: unknown =
      typeof input === "function"
        ? input.call(standard, { target: "draft-2020-12" })
        : await field(given, "jsonSchema");
    return mapOf(JSON.parse(JSON.stringify(made ?? given ?? {})) as Json);
  } catch {
    // Its arguments are then not known, and the policy says nothing about them.
    return {};
  }
}

function field(value: unknown, key: string): unknown {
  return (typeof value === "object" || typeof value === "function") && value !== null
    ? Reflect.get(value, key)
    : undefined;
}
