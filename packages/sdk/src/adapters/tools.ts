/**
 * Tools, whoever calls them: a live view of a map in which every `execute` and every function goes through the gate.
 * Only what is called through the view is gated: a closure over the original map or tool cannot be seen from here.
 */
import { SafeRunError, type Store } from "@saferun/core";
import { asksPerson, type Binding, runTool, streamTool, type ToolRequest } from "../binding.ts";
import { editNoteOf, isDenied } from "../denied.ts";
import type { Frame } from "../frame.ts";
import { mirror } from "../mirror.ts";
import { withoutBound } from "./bound-arguments.ts";

/** What one view is bound to; `frame` is absent for views that outlive a single call of an agent. */
export interface ToolBinding {
  readonly binding: Binding;
  readonly frame?: Frame;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type AnyTool = Readonly<Record<PropertyKey, unknown>>;

/** View → its original, so that what is gated once by a binding is not gated by it again. */
const originals = new WeakMap<object, { readonly source: object; readonly binding: Binding }>();

/** Tools added to `map` later are seen, and gated, too; names are looked up among its own properties only. */
export function gateTools<Tools extends object>(map: Tools, to: ToolBinding): Tools {
  const source = original(map, to.binding);
  const views = new Map<PropertyKey, { readonly value: unknown; readonly view: unknown }>();
  const gated = mirror(source, {
    inherited: false,
    hides: (key, value) => {
      const hosted = isHosted(value);
      if (hosted) to.binding.warn(hostedWarning(String(key)));
      return hosted;
    },
    see: (key, value) => {
      if (typeof key === "symbol") return value;
      if (isProviderTool(value)) clientTools(to.binding.store).add(`${String(value.id)} ${key}`);
      const known = views.get(key);
      if (known !== undefined && known.value === value) return known.view;
      const view = gateTool(key, value, to);
      views.set(key, { value, view });
      return view;
    },
  });
  originals.set(gated, { source, binding: to.binding });
  return gated;
}

/** One tool: a function, or an object with `execute`. What cannot be called is passed through. */
function gateTool(key: PropertyKey, value: unknown, to: ToolBinding): unknown {
  const name = String(key);
  if (typeof value === "function") return gateFunction(name, value as AnyFunction, to);
  if (typeof value !== "object" || value === null) return value;
  const source = original(value as AnyTool, to.binding);
  // Only a call that the framework executes here can wait for its own approval request.
  const isDurable = to.binding.maxWaitMs !== undefined && typeof (value as AnyTool).execute === "function";
  const gated = mirror(source, {
    inherited: true,
    see: (property, found) => {
      switch (property) {
        case "execute":
          return typeof found === "function" ? gateExecute(name, source, found as AnyFunction, to) : found;
        case "inputSchema":
          return withoutBound(found, { name, binding: to.binding, frame: to.frame });
        case "needsApproval":
          return isDurable ? gateQuestion(name, found, to) : found;
        case "toModelOutput":
          return typeof found === "function" ? modelOutput(source, found as AnyFunction) : found;
        case "experimental_toolCaller":
          return gateCaller(name, found, to);
        case TOOL_SEARCH:
          return typeof found === "function" ? gateSearch(name, found as AnyFunction, to) : found;
        default:
          return found;
      }
    },
    adds: {
      toModelOutput: modelOutput(source, undefined),
      ...(isDurable ? { needsApproval: gateQuestion(name, undefined, to) } : {}),
    },
  });
  originals.set(gated, { source, binding: to.binding });
  return gated;
}

/**
 * The framework's own approval request is how a call waits beyond this process. Its answer decides nothing here: whatever a
 * message history says, the call runs by the store's approval alone (traps.md, 14).
 */
function gateQuestion(name: string, needsApproval: unknown, to: ToolBinding): AnyFunction {
  return async (args, options) => {
    const own: unknown =
      typeof needsApproval === "function"
        ? await Reflect.apply(needsApproval, undefined, [args, options])
        : needsApproval;
    if (own) return true;
    return asksPerson(to.binding, to.frame, toolRequest(name, options, args));
  };
}

/** A plain function as a tool of its own: `(args, { toolCallId, signal })`, and nothing besides. */
export function gateFunction(name: string, tool: AnyFunction, to: ToolBinding): AnyFunction {
  const known = originals.get(tool);
  const source = known?.binding === to.binding ? (known.source as AnyFunction) : tool;
  if (source.length > 2) {
    throw new SafeRunError(
      "agent.unsupported",
      `the function \`${name}\` takes ${source.length} arguments: a gated function takes one object, because what the gate does not judge must not reach the tool`,
    );
  }
  const request = (args: unknown, options: unknown): ToolRequest =>
    toolRequest(name, checkOptions(name, options), args);
  const gated = isGeneratorFunction(source)
    ? function (this: unknown, args: unknown, options?: unknown) {
        const run = (permitted: unknown, signal: AbortSignal) =>
          Reflect.apply(source, this, [permitted, withSignal(options, signal)]) as AsyncIterable<unknown>;
        return streamTool(to.binding, to.frame, request(args, options), run);
      }
    : async function (this: unknown, args: unknown, options?: unknown) {
        return runTool(to.binding, to.frame, request(args, options), (permitted, signal) =>
          Reflect.apply(source, this, [permitted, withSignal(options, signal)]),
        );
      };
  Object.defineProperty(gated, "name", { value: name, configurable: true });
  originals.set(gated, { source, binding: to.binding });
  return gated as AnyFunction;
}

/** `execute` in the tool's own shape: a generator stays one, because a framework reads the shape before it awaits. */
function gateExecute(name: string, tool: object, execute: AnyFunction, to: ToolBinding): AnyFunction {
  if (isGeneratorFunction(execute)) {
    return (args, options) =>
      streamTool(
        to.binding,
        to.frame,
        toolRequest(name, options, args),
        (permitted, signal) =>
          Reflect.apply(execute, tool, [permitted, withSignal(options, signal)]) as AsyncIterable<unknown>,
      );
  }
  return (args, options) =>
    runTool(to.binding, to.frame, toolRequest(name, options, args), (permitted, signal) =>
      settled(Reflect.apply(execute, tool, [permitted, withSignal(options, signal)])),
    );
}

/**
 * A function that returns a stream without being a generator shows its shape only after it was called, which is after a
 * promise had to be returned: its last value is the result, as the framework has it, without the values before.
 */
async function settled(result: unknown): Promise<unknown> {
  if (!isAsyncIterable(result)) return result;
  let last: unknown;
  for await (const value of result) last = value;
  return last;
}

/** A tool that calls other tools (code mode) is bound anew at each step by the framework: what it binds is gated. */
function gateCaller(name: string, definition: unknown, to: ToolBinding): unknown {
  if (typeof definition !== "object" || definition === null || !("bind" in definition)) return definition;
  const { bind } = definition;
  if (typeof bind !== "function") return definition;
  return { ...definition, bind: (tools: unknown) => gateTool(name, Reflect.apply(bind, definition, [tools]), to) };
}

const TOOL_SEARCH = Symbol.for("vercel.ai.toolSearch.search");

/** The application's own search behind the framework's built-in search tool, which replaces the tool's `execute`. */
function gateSearch(name: string, search: AnyFunction, to: ToolBinding): AnyFunction {
  return async (options) => {
    const { query } = options as { readonly query?: unknown };
    const request = { tool: name, args: { query }, toolCallId: undefined, signal: undefined, resumed: false };
    const found = await runTool(to.binding, to.frame, request, (args) =>
      search({ ...(options as object), ...(args as object) }),
    );
    return isDenied(found) ? [] : found;
  };
}

/** What the model reads: a denial in the framework's own form, and the note of what ran. */
function modelOutput(tool: object, toModelOutput: AnyFunction | undefined): AnyFunction {
  return async (options) => {
    const { output } = options as { readonly output?: unknown };
    if (isDenied(output)) return { type: "execution-denied", reason: output.message };
    if (toModelOutput === undefined) return plainOutput(output);
    return withNote(await Reflect.apply(toModelOutput, tool, [options]), editNoteOf(output)?.message);
  };
}

/** As the framework does it where a tool has no `toModelOutput`. */
function plainOutput(output: unknown): unknown {
  if (typeof output === "string") return { type: "text", value: output };
  const text = JSON.stringify(output);
  return { type: "json", value: text === undefined ? null : (JSON.parse(text) as unknown) };
}

function withNote(output: unknown, note: string | undefined): unknown {
  if (note === undefined || typeof output !== "object" || output === null || !("value" in output)) return output;
  const { value } = output;
  if (Array.isArray(value)) return { ...output, value: [...value, { type: "text", text: note }] };
  if (typeof value === "string") return { ...output, value: `${value}\n\n${note}` };
  return {
    type: "content",
    value: [
      { type: "text", text: JSON.stringify(value) },
      { type: "text", text: note },
    ],
  };
}

function toolRequest(tool: string, options: unknown, args: unknown): ToolRequest {
  const given = typeof options === "object" && options !== null ? (options as Readonly<Record<string, unknown>>) : {};
  const toolCallId = typeof given.toolCallId === "string" ? given.toolCallId : undefined;
  const signal = [given.abortSignal, given.signal].find(isSignal);
  return { tool, args, toolCallId, signal, resumed: isResumed(given.messages, toolCallId) };
}

/** The framework's own options, with a signal that hears of a stop as well. */
function withSignal(options: unknown, signal: AbortSignal): unknown {
  if (typeof options !== "object" || options === null) return { signal };
  return "signal" in options ? { ...options, signal } : { ...options, abortSignal: signal };
}

/** By its form: another realm's (a DOM under test, a polyfill) is none of our class, and its caller gives up all the same. */
function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener, removeEventListener } = value as AnyTool;
  return (
    typeof aborted === "boolean" && typeof addEventListener === "function" && typeof removeEventListener === "function"
  );
}

const OPTIONS: ReadonlySet<string> = new Set(["toolCallId", "signal", "abortSignal"]);

/** A second argument that the tool would act on is an argument that the gate has not judged. */
function checkOptions(name: string, options: unknown): unknown {
  const known =
    options === undefined ||
    (typeof options === "object" && options !== null && Object.keys(options).every((key) => OPTIONS.has(key)));
  const { signal, abortSignal } = (options ?? {}) as AnyTool;
  const unusable = [signal, abortSignal].some((value) => value !== undefined && value !== null && !isSignal(value));
  if (unusable) throw new SafeRunError("call.malformed", `\`${name}\` was called with a signal that is none`);
  if (known) return options;
  throw new SafeRunError(
    "call.malformed",
    `\`${name}\` was called with a second argument: it takes one object, and beside it only ${[...OPTIONS].join(", ")}`,
  );
}

/** In the history but without a result: the framework took the call up again, after an approval or a restart. */
function isResumed(messages: unknown, toolCallId: string | undefined): boolean {
  if (!Array.isArray(messages) || toolCallId === undefined) return false;
  const parts = messages.flatMap((message: { readonly content?: unknown } | null) =>
    Array.isArray(message?.content) ? (message.content as readonly { type?: unknown; toolCallId?: unknown }[]) : [],
  );
  const has = (type: string) => parts.some((part) => part?.type === type && part.toolCallId === toolCallId);
  return has("tool-call") && !has("tool-result");
}

/** A tool that runs at the model's provider: nothing here can stop it, so the model is not offered it. */
function isHosted(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { isProviderExecuted, execute } = value as AnyTool;
  if (typeof isProviderExecuted === "boolean") return isProviderExecuted;
  return isProviderTool(value) && typeof execute !== "function";
}

function isProviderTool(value: unknown): value is AnyTool {
  if (typeof value !== "object" || value === null) return false;
  const { type } = value as AnyTool;
  return type === "provider" || type === "provider-defined";
}

const seen = new WeakMap<Store, Set<string>>();

/** Tools that a provider defines and this process executes, as `id name`: the only such tools a model is offered. */
export function clientTools(store: Store): Set<string> {
  const known = seen.get(store) ?? new Set();
  seen.set(store, known);
  return known;
}

export function hostedWarning(name: string): string {
  return `the tool \`${name}\` runs at the model's provider, where no gate can stop it: the model is not offered it`;
}

function original<Source extends object>(value: Source, binding: Binding): Source {
  const known = originals.get(value);
  return known !== undefined && known.binding === binding ? (known.source as Source) : value;
}

function isGeneratorFunction(value: AnyFunction): boolean {
  return Object.prototype.toString.call(value) === "[object AsyncGeneratorFunction]";
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
