/** `tool(…)`: what a tool is, and the type of its arguments for the conditions of its rules. */
import type { PolicyIssue, TreeNode } from "@saferun/core";
import { callSite } from "./call-site.ts";
import { jsonSchemaOf } from "./json-schema-of.ts";
import type { ArgsOfSchema, ArgsSchema, StandardSchema } from "./schema-types.ts";
import { Named, nodeOf, Place } from "./to-tree.ts";
import type { WrittenTool } from "./written.ts";

declare const ARGS: unique symbol;

/** `Args` are the arguments as the model may write them; `unknown` where no schema says. */
export class ToolDefinition<Args = unknown> extends Named {
  declare readonly [ARGS]?: Args;
  readonly name: string;
  /** Its entry under `tools`. */
  readonly node: TreeNode;
  readonly issues: readonly PolicyIssue[];

  constructor(name: string, node: TreeNode, issues: readonly PolicyIssue[]) {
    super();
    this.name = name;
    this.node = node;
    this.issues = issues;
    Object.freeze(this);
  }
}

/** One tool or several: names, globs, or definitions. */
export type ToolScope = string | ToolDefinition | readonly (string | ToolDefinition)[];

/** The definitions in a scope. */
export function toolsOf(scope: ToolScope | undefined): readonly ToolDefinition[] {
  const list = Array.isArray(scope) ? scope : [scope];
  return list.filter((one) => one instanceof ToolDefinition);
}

/** What every tool in scope has; `unknown` where one of them is known by name only. */
export type ArgsOfScope<Scope> = Scope extends readonly (infer One)[] ? ArgsOfTool<One> : ArgsOfTool<Scope>;
type ArgsOfTool<One> = One extends ToolDefinition<infer Args> ? Args : unknown;

export type ToolOptions<Schema> = Omit<WrittenTool, "schema"> & {
  /** Of the arguments, as a Standard Schema (zod, valibot, arktype …) or JSON Schema: checked by the gate, and the types of conditions. */
  readonly schema?: Schema;
};

/** `name` may be a glob. The entry stands in every policy whose rules or `tools` mention it. */
export function tool<const Schema extends StandardSchema | ArgsSchema>(
  name: string,
  options: ToolOptions<Schema> = {},
): ToolDefinition<ArgsOfSchema<Schema>> {
  const place = new Place(callSite(tool));
  const schema = Object.hasOwn(options, "schema") ? { schema: jsonSchemaOf(options.schema, name, place) } : undefined;
  const node = nodeOf({ ...options, ...schema }, place);
  return new ToolDefinition(String(name), node, place.issues);
}
