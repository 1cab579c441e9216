/** Tools of an MCP server: from the answer to `tools/list`, kept in a file or asked for. */
import type { Json } from "@saferun/core";
import { failed } from "../exit.ts";
import { listOf, mapOf, numberArguments, sampleArguments } from "./argument-schema.ts";
import type { FoundTool } from "./found-tool.ts";

/**
 * @param answer a list of tools, `{tools}`, or a whole JSON-RPC answer.
 * @param connection prefix of the names, as the gate's configuration will call the server; empty for none.
 */
export function toolsOfMcp(answer: Json, connection: string): readonly FoundTool[] {
  const map = mapOf(answer);
  const list = Array.isArray(answer) ? answer : listOf(map.tools ?? mapOf(map.result).tools);
  if (list.length === 0) throw failed("init.empty", "there are no tools in the answer to `tools/list`");
  return list.flatMap((item) => {
    const { name, description, inputSchema, annotations } = mapOf(item);
    if (typeof name !== "string" || name === "") return [];
    const schema = mapOf(inputSchema);
    const { readOnlyHint } = mapOf(annotations);
    return [
      {
        name: connection === "" ? name : `${connection}.${name}`,
        kind: "destructive" as const,
        why:
          readOnlyHint === true
            ? "the server says that it only reads, which is its own word; set `read` if you know it"
            : "nothing proves what it does; set `read` or `write` if you know it",
        ...(typeof description === "string" ? { description } : {}),
        numbers: numberArguments(schema),
        sample: sampleArguments(schema),
        schema,
      },
    ];
  });
}
