/** The public face: agents, tools and models go in and come out gated. */
import { type Random, SafeRunError } from "@saferun/core";
import { nodeRandom } from "@saferun/store";
import { aiSdkAgentName, isAiSdkAgent, wrapAiSdkAgent } from "./adapters/ai-sdk.ts";
import { gateModel } from "./adapters/ai-sdk-model.ts";
import { isPlainAgent, wrapFunction, wrapPlainAgent } from "./adapters/plain.ts";
import { gateTools } from "./adapters/tools.ts";
import type { Binding } from "./binding.ts";
import type { DeniedCall } from "./denied.ts";
import { embed, shutdown } from "./embedded.ts";
import { currentFrame, newScope, within } from "./frame.ts";
import { checkOptions, type ModelOptions, type WrapOptions } from "./options.ts";
import { checkFacts, type RunFacts } from "./run-facts.ts";
import { NO_TOOLS, type ToolDefinitions, toolDefinitions } from "./tool-definitions.ts";

/** What a gated function returns: its own result later, or the value that says why it did not run. */
export type Gated<Result> =
  Result extends AsyncIterable<infer Value>
    ? AsyncGenerator<Value | DeniedCall, unknown>
    : Promise<Awaited<Result> | DeniedCall>;

/** A function with its gate: one arguments object, and beside it what the gate itself may use. */
export type GatedFunction<Arguments, Result> = (
  args: Arguments,
  options?: { readonly toolCallId?: string; readonly signal?: AbortSignal },
) => Gated<Result>;

/**
 * The same kind of agent, every tool call of which goes through the gate: allowed and run, paused until a person answers,
 * or denied with the rule, the reason and what to do instead.
 *
 * Takes a `ToolLoopAgent` of the AI SDK, a plain object `{ tools: { name: function or { execute } } }`, or a function
 * whose name is the tool's.
 *
 * @example
 * const agent = saferun.wrap(myAgent, {
 *   policies: ["./policies.yaml"],
 *   onPause: async (a) => slack.notify("#ops-approvals", a),
 * });
 * @throws SafeRunError `agent.unsupported`, `option.invalid`, `policy.missing`, `policy.invalid`, `record.*`: nothing is
 * wrapped by halves.
 */
function wrap<Arguments, Result>(
  tool: (args: Arguments, ...rest: never[]) => Result,
  options: WrapOptions,
): GatedFunction<Arguments, Result>;
function wrap<Agent extends object>(agent: Agent, options: WrapOptions): Agent;
function wrap(agent: object, options: WrapOptions): unknown {
  const checked = checkOptions(options, { policies: true });
  checkSupported(agent);
  return wrapWith(agent, embed(checked, toolsOf(agent)));
}

/** `wrap` over a gate that exists. */
export function wrapWith<Agent extends object>(agent: Agent, binding: Binding): Agent {
  checkSupported(agent);
  if (typeof agent === "function") return wrapFunction(agent, binding);
  if (isAiSdkAgent(agent)) return wrapAiSdkAgent(agent, { ...binding, agent: binding.agent ?? aiSdkAgentName(agent) });
  if (isPlainAgent(agent)) return wrapPlainAgent(agent, binding);
  throw unsupported(agent);
}

/**
 * A live view of a tools map for `generateText` and `streamText`: tools added to the map later are gated too.
 * Outside of `saferun.run` each call is a run of its own.
 *
 * @example
 * const tools = saferun.tools({ refund, lookup }, { policies: ["./policies.yaml"] });
 * await saferun.run({ principal: { id: user.id }, prompt }, () => generateText({ model, tools, prompt }));
 */
function tools<Tools extends object>(map: Tools, options: WrapOptions): Tools {
  const checked = checkOptions(options, { policies: true });
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw unsupported(map);
  return gateTools(map, { binding: embed(checked, toolDefinitions(map)) });
}

/**
 * A language model of the AI SDK whose prompts are recorded before it is asked, and whose answers and usage before they
 * are handed on. Tools that the provider itself would run are taken out of the request. A wrapped agent's own model is
 * recorded without this.
 *
 * @example
 * const model = saferun.model(openai("gpt-5"), { store: "./.saferun" });
 */
function model<Model extends object | string>(given: Model, options: ModelOptions = {}): Exclude<Model, string> {
  return gateModel(given, embed(checkOptions(options, { policies: false }))) as Exclude<Model, string>;
}

const random: Random = nodeRandom;

/**
 * Runs `body` as one run: all that wrapped agents, tools and models do in it, however deep, belongs together and acts
 * for this principal. Without it each `generate`, `stream` or call of a wrapped agent is a run of its own.
 *
 * @example
 * const answer = await saferun.run({ principal: { id: "user-42" }, context: { tenant: "acme" }, prompt: message }, () =>
 *   agent.generate({ prompt: message }),
 * );
 */
function run<Result>(facts: RunFacts, body: () => Result): Result {
  const around = currentFrame();
  const scope = newScope(checkFacts(facts), random);
  // A run that is opened inside a tool belongs to the run around it: it spends from the same budgets.
  if (around?.call === undefined) return within({ scope, depth: 0 }, body);
  const inner = { ...scope, parent: around.scope, within: around.call.id };
  return within({ scope: inner, depth: around.depth + 1 }, body);
}

/** The call that the gate is executing around this code. */
export interface CurrentCall {
  /** Names the call in the log. */
  readonly id: string;
  /** For tools whose contract takes one: stable over attempts, from the gate and never from the model. */
  readonly idempotencyKey: string;
  readonly runId: string;
}

/**
 * Inside a gated tool: the call that was permitted; undefined outside.
 *
 * @example
 * await fetch(url, { method: "POST", headers: { "idempotency-key": saferun.currentCall()?.idempotencyKey ?? "" }, body });
 */
function currentCall(): CurrentCall | undefined {
  for (let frame = currentFrame(); frame !== undefined; frame = frame.parent) {
    if (frame.call !== undefined) return { id: frame.call.id, idempotencyKey: frame.call.id, runId: frame.scope.id };
  }
  return undefined;
}

function checkSupported(agent: unknown): void {
  const known =
    typeof agent === "function" ||
    (typeof agent === "object" && agent !== null && (isAiSdkAgent(agent) || isPlainAgent(agent)));
  if (!known) throw unsupported(agent);
}

/** The tools that the agent has now; later ones are decided on like all others, by the rules that speak of them. */
function toolsOf(agent: object): ToolDefinitions {
  if (typeof agent === "function") return { ...NO_TOOLS, names: [agent.name] };
  return toolDefinitions(Reflect.get(agent, "tools"));
}

function unsupported(agent: unknown): SafeRunError {
  return new SafeRunError(
    "agent.unsupported",
    `found ${described(agent)}; supported are \`ToolLoopAgent\` of the AI SDK 6 and 7, a plain object \`{ tools: { … } }\` and a named function; for a tools map alone there is \`saferun.tools\``,
  );
}

function described(agent: unknown): string {
  if (typeof agent !== "object" || agent === null) return agent === null ? "null" : `a value of type ${typeof agent}`;
  if (Array.isArray(agent)) return "a list";
  const maker: unknown = Reflect.get(agent, "constructor");
  const name = typeof maker === "function" && maker.name !== "" ? maker.name : "object";
  const keys = Object.keys(agent).slice(0, 8).join(", ");
  return `an object of class \`${name}\`${keys === "" ? "" : ` with ${keys}`}`;
}

/** Everything that an application needs, under one name. */
export const saferun = Object.freeze({ wrap, tools, model, run, currentCall, shutdown });
