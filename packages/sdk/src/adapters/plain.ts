/** Agents without a framework: `{ tools: { name: function or { execute } } }`, and single functions. */
import { SafeRunError } from "@saferun/core";
import type { Binding } from "../binding.ts";
import { gateFunction, gateTools } from "./tools.ts";

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** A plain object, no class of somebody's: what its methods do with tools kept elsewhere is not known. */
export function isPlainAgent(value: object): value is { readonly tools: object } {
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || !Object.hasOwn(value, "tools")) return false;
  const tools: unknown = Reflect.get(value, "tools");
  return typeof tools === "object" && tools !== null && !Array.isArray(tools);
}

/** A copy whose `tools` are gated; its methods find them as `this.tools`. A closure over the original map does not. */
export function wrapPlainAgent<Given extends { readonly tools: object }>(agent: Given, binding: Binding): Given {
  const own = Object.getOwnPropertyDescriptors<object>(agent);
  const tools = { value: gateTools(agent.tools, { binding }), enumerable: true };
  return Object.create(Object.getPrototypeOf(agent), { ...own, tools }) as Given;
}

/** @throws SafeRunError `agent.unsupported` for a function without a name, which no rule could speak of. */
export function wrapFunction<Given extends object>(tool: Given & AnyFunction, binding: Binding): Given {
  if (tool.name === "") {
    throw new SafeRunError(
      "agent.unsupported",
      "found a function without a name: give it the tool's name, as in `saferun.wrap(async function refund(args) {…}, …)`",
    );
  }
  return gateFunction(tool.name, tool, { binding }) as AnyFunction & Given;
}
