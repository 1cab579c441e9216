/**
 * Agents of the AI SDK (`ToolLoopAgent`, version 7; known by their form). The gate stands at three places of the agent's
 * settings: the tools, the model, and `prepareCall`; and behind the agent's method `prepareCall`, through which every
 * `generate` and `stream` goes last, whatever the settings, a subclass or the call's options put in.
 */
import { SafeRunError } from "@saferun/core";
import type { Binding } from "../binding.ts";
import { agentFrame, currentFrame, type Frame, within } from "../frame.ts";
import { gateModel } from "./ai-sdk-model.ts";
import { gateTools } from "./tools.ts";

type Fields = Readonly<Record<string, unknown>>;
type Method = (this: unknown, ...args: unknown[]) => unknown;

interface Agent {
  readonly version: string;
  readonly settings: Fields;
  readonly generate: Method;
  readonly stream: Method;
}

const METHODS = ["generate", "stream"] as const;

/** An agent of the AI SDK, whether or not this adapter can gate it. */
export function isAiSdkAgent(value: object): boolean {
  return (
    typeof Reflect.get(value, "version") === "string" && METHODS.every((name) => isFunction(Reflect.get(value, name)))
  );
}

/** The name that the agent has itself. */
export function aiSdkAgentName(agent: object): string | undefined {
  const id: unknown = Reflect.get(agent, "id");
  return typeof id === "string" && id !== "" ? id : undefined;
}

/**
 * A gated copy of the agent, of the same class.
 * @throws SafeRunError `agent.unsupported` where the agent's tools or model lie out of reach.
 */
export function wrapAiSdkAgent<Given extends object>(agent: Given, binding: Binding): Given {
  checkAgent(agent);
  const own = Object.getOwnPropertyDescriptors<object>(agent);
  const replaced: PropertyDescriptorMap = { settings: { value: gateSettings(agent.settings, binding) } };
  for (const name of METHODS) {
    const method = agent[name];
    replaced[name] = {
      value: async (...args: unknown[]): Promise<unknown> =>
        within(agentFrame(binding), () => Reflect.apply(method, copy, args)),
    };
  }
  const prepare: unknown = Reflect.get(agent, "prepareCall");
  if (isFunction(prepare)) {
    replaced.prepareCall = {
      value: async (...args: unknown[]): Promise<unknown> => {
        const prepared: unknown = await Reflect.apply(prepare, copy, args);
        return isObject(prepared) ? gatePrepared(prepared, binding, currentFrame() ?? agentFrame(binding)) : prepared;
      },
    };
  }
  const copy = Object.create(Object.getPrototypeOf(agent), { ...own, ...replaced }) as Given;
  return copy;
}

function gateSettings(settings: Fields, binding: Binding): Fields {
  const { tools, prepareCall } = settings;
  return {
    ...settings,
    model: gateModel(settings.model, binding),
    ...(isObject(tools) ? { tools: gateTools(tools, { binding }) } : {}),
    prepareCall: async (options: Fields): Promise<Fields> => {
      const own: unknown = isFunction(prepareCall) ? await Reflect.apply(prepareCall, settings, [options]) : undefined;
      const frame = currentFrame() ?? agentFrame(binding);
      return gatePrepared(isObject(own) ? own : options, binding, frame);
    },
  };
}

/** What is about to run, bound to the frame of this call: a stream's callbacks come without the asynchronous context. */
function gatePrepared(prepared: Fields, binding: Binding, frame: Frame): Fields {
  const { tools, model, prepareStep } = prepared;
  return {
    ...prepared,
    model: gateModel(model, binding, frame),
    ...(isObject(tools) ? { tools: gateTools(tools, { binding, frame }) } : {}),
    ...(isFunction(prepareStep) ? { prepareStep: gatePrepareStep(prepareStep, binding, frame) } : {}),
  };
}

/** A step may take another model, and (in no version so far) other tools. */
function gatePrepareStep(prepareStep: Method, binding: Binding, frame: Frame): Method {
  return async (options) => {
    const step: unknown = await prepareStep(options);
    if (!isObject(step)) return step;
    const { model, tools } = step;
    return {
      ...step,
      ...(model === undefined || model === null ? {} : { model: gateModel(model, binding, frame) }),
      ...(isObject(tools) ? { tools: gateTools(tools, { binding, frame }) } : {}),
    };
  };
}

function checkAgent(agent: object): asserts agent is Agent {
  const settings: unknown = Reflect.get(agent, "settings");
  const version: unknown = Reflect.get(agent, "version");
  if (version !== "agent-v1" || !isObject(settings) || !Object.hasOwn(agent, "settings") || !("model" in settings)) {
    throw unsupported(`found an agent of version \`${String(version)}\` that keeps its tools out of reach`);
  }
  const own = METHODS.find((name) => Object.hasOwn(agent, name));
  if (own !== undefined) {
    throw unsupported(
      `found an agent whose \`${own}\` belongs to the object itself: it is wrapped already, or bound to the ungated agent`,
    );
  }
}

function unsupported(found: string): SafeRunError {
  return new SafeRunError(
    "agent.unsupported",
    `${found}; supported are \`ToolLoopAgent\` of the AI SDK 6 and 7, and its subclasses`,
  );
}

function isFunction(value: unknown): value is Method {
  return typeof value === "function";
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
