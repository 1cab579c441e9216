/** A language model of the AI SDK: what it is asked is recorded before, what it answers before it is handed on. */
import { SafeRunError } from "@saferun/core";
import { nodeClock } from "@saferun/store";
import type { Binding } from "../binding.ts";
import { agentFrame, currentFrame, type Frame, runOf } from "../frame.ts";
import { mirror } from "../mirror.ts";
import { createPrices } from "../prices.ts";
import { session, take } from "../re-execute.ts";
import { generated, streamed } from "../re-execute-model.ts";
import { responseCollector } from "./ai-sdk-response.ts";
import { boundOf, surelyNotRun, usedOf } from "./ai-sdk-spend.ts";
import { recordable } from "./recordable.ts";
import { clientTools, hostedWarning } from "./tools.ts";

type Fields = Readonly<Record<string, unknown>>;
type Ask = (this: unknown, options: Fields) => PromiseLike<Fields>;

interface LanguageModel {
  readonly provider?: unknown;
  readonly modelId?: unknown;
  readonly doGenerate: Ask;
  readonly doStream: Ask;
}

const originals = new WeakMap<object, { readonly source: LanguageModel; readonly binding: Binding }>();

/**
 * The same kind of model, bound to a run's frame or to that of each call's context.
 * @throws SafeRunError `agent.unsupported` for what is no language model, or one that is only named.
 */
export function gateModel(model: unknown, binding: Binding, frame?: Frame): object {
  const given = typeof model === "string" ? byName(model) : model;
  if (typeof given !== "object" || given === null) throw unsupported(`found ${typeof given}`);
  const known = originals.get(given);
  const source = known !== undefined && isCovered(known.binding, binding) ? known.source : given;
  if (!isLanguageModel(source)) throw unsupported("found an object without `doGenerate` and `doStream`");
  const gated = mirror(source, {
    inherited: true,
    see: (key, value) => {
      if (key === "doGenerate") return (options: Fields) => generate(source, options, binding, frame);
      if (key === "doStream") return (options: Fields) => stream(source, options, binding, frame);
      return value;
    },
  });
  originals.set(gated, { source, binding });
  return gated;
}

/** What the inner gate would record and count, the outer one does: twice would be spent twice. */
function isCovered(inner: Binding, outer: Binding): boolean {
  if (inner === outer) return true;
  if (inner.store !== outer.store || inner.follows === undefined) return false;
  return inner.follows === "" || inner.follows === outer.follows;
}

async function generate(model: LanguageModel, options: Fields, binding: Binding, bound?: Frame): Promise<Fields> {
  const under = binding.session ?? session();
  if (under !== undefined)
    return generated(take(under, (answers) => answers.model(recorded(model, offered(options, binding)))));
  const asked = await ask(model, options, binding, bound);
  const result = await asked.contact((request) => model.doGenerate(request));
  const { content, finishReason, usage, warnings, providerMetadata } = result;
  warnOfHosted(content, binding);
  await asked.answered({ content, finishReason, usage, warnings, providerMetadata });
  return result;
}

interface Asked {
  /** Contacts the provider: what it throws is recorded. */
  contact(call: (request: Fields) => PromiseLike<Fields>): Promise<Fields>;
  /** Records and books the answer, as far as it came; `usage` says what it used, if anybody does. */
  answered(response: Fields): Promise<void>;
}

/**
 * The question, on record, and what it may cost held for it.
 * @throws SafeRunError where it may not be asked: then the provider is not contacted.
 */
async function ask(model: LanguageModel, options: Fields, binding: Binding, bound?: Frame): Promise<Asked> {
  const run = runOf(binding, bound ?? currentFrame() ?? agentFrame(binding));
  const request = offered(options, binding);
  const question = recorded(model, request);
  const [provider, modelId] = [String(model.provider), String(model.modelId)];
  const quote = (binding.prices ?? LISTED).quote(provider, modelId, nodeClock.now());
  const ticket = await binding.gate.model.request(run, {
    ...question,
    bound: boundOf(quote, provider, request, [question.messages, question.settings]),
    prices: quote?.version ?? null,
  });
  return {
    async contact(call) {
      const { abortSignal } = request;
      const gone = abortSignal instanceof AbortSignal && abortSignal.aborted;
      try {
        if (gone) throw abortSignal.reason;
        return await call(request);
      } catch (error) {
        await binding.gate.model.failure(run, ticket, error, !gone && !surelyNotRun(error));
        throw error;
      }
    },
    answered: async (response) =>
      binding.gate.model.response(
        run,
        ticket,
        recordable(response),
        usedOf(response.usage, quote, request.providerOptions),
      ),
  };
}

/** Where the application names no prices of its own. */
const LISTED = createPrices();

/**
 * The answer is recorded when its last part arrives and before that part is handed on, because the framework runs tools
 * after it. A stream that fails, is cut off or is not read to its end is recorded as far as it came.
 */
async function stream(model: LanguageModel, options: Fields, binding: Binding, bound?: Frame): Promise<Fields> {
  const under = binding.session ?? session();
  if (under !== undefined)
    return streamed(take(under, (answers) => answers.model(recorded(model, offered(options, binding)))));
  const asked = await ask(model, options, binding, bound);
  const result = await asked.contact((request) => model.doStream(request));
  if (!(result.stream instanceof ReadableStream)) {
    await asked.answered({ cutOff: "the model's `stream` is none" });
    throw unsupported("found a model whose `stream` is none");
  }
  const reader = (result.stream as ReadableStream<unknown>).getReader();
  const collector = responseCollector();
  let done = false;
  const record = async (cutOff?: string): Promise<void> => {
    if (done) return;
    done = true;
    const response = collector.response();
    warnOfHosted(response.content, binding);
    await asked.answered({ ...response, cutOff });
  };
  const recording = new ReadableStream<unknown>({
    async pull(controller) {
      try {
        const next = await reader.read();
        if (next.done) {
          await record(collector.finished() ? undefined : "the stream ended without a finish");
          controller.close();
          return;
        }
        collector.add(next.value);
        if (collector.finished()) await record();
        controller.enqueue(next.value);
      } catch (error) {
        await record(`the stream failed: ${error instanceof Error ? error.message : String(error)}`);
        controller.error(error);
      }
    },
    async cancel(reason) {
      try {
        await reader.cancel(reason);
      } finally {
        await record("the reader stopped before the end");
      }
    },
  });
  return { ...result, stream: recording };
}

/** What the model may be asked: no tool that its provider would run, by definition or by a provider's own option. */
function offered(options: Fields, binding: Binding): Fields {
  const tools = Array.isArray(options.tools) ? (options.tools as readonly Fields[]) : undefined;
  const local = clientTools(binding.store);
  const kept = tools?.filter((tool) => {
    const ours = tool.type === "function" || local.has(`${String(tool.id)} ${String(tool.name)}`);
    if (!ours) binding.warn(hostedWarning(String(tool.name)));
    return ours;
  });
  const choice = options.toolChoice as Fields | undefined;
  if (choice?.type === "tool" && kept?.every((tool) => tool.name !== choice.toolName)) {
    throw new SafeRunError(
      "agent.unsupported",
      `\`toolChoice\` demands \`${String(choice.toolName)}\`, a tool that the model is not offered`,
    );
  }
  const { providerOptions } = options;
  return {
    ...options,
    ...(kept === undefined ? {} : { tools: kept }),
    ...(kept?.length === 0 ? { tools: undefined, toolChoice: undefined } : {}),
    ...(providerOptions === undefined ? {} : { providerOptions: withoutServers(providerOptions, binding) }),
  };
}

/** Options by which a provider connects to tools itself. */
const SERVER_OPTIONS: readonly string[] = ["mcpServers", "mcp_servers"];

function withoutServers(options: unknown, binding: Binding): unknown {
  if (typeof options !== "object" || options === null) return options;
  const kept = Object.entries(options).map(([provider, fields]: [string, unknown]) => {
    if (typeof fields !== "object" || fields === null) return [provider, fields];
    const hosted = SERVER_OPTIONS.filter((key) => Object.hasOwn(fields, key));
    for (const key of hosted) binding.warn(hostedWarning(`${provider}.${key}`));
    return [provider, Object.fromEntries(Object.entries(fields).filter(([key]) => !hosted.includes(key)))];
  });
  return Object.fromEntries(kept);
}

/** Headers may hold credentials, and the signal is no content: neither is recorded. */
function recorded(model: LanguageModel, { prompt, headers: _, abortSignal: __, ...settings }: Fields) {
  const messages = Array.isArray(prompt) ? (prompt as readonly unknown[]) : [prompt];
  return {
    model: `${String(model.provider)}:${String(model.modelId)}`,
    messages: messages.map((message) => recordable(message)),
    settings: recordable(settings),
  };
}

/** A provider that ran a tool all the same: nobody decided on it, and somebody must see that. */
function warnOfHosted(content: unknown, binding: Binding): void {
  if (!Array.isArray(content)) return;
  for (const part of content as readonly Fields[]) {
    if (part?.type === "tool-call" && part.providerExecuted === true) {
      binding.warn(`the tool ${nameText(part.toolName)} ran at the model's provider without a decision`);
    }
  }
}

/** A name that a model or its provider chose: one short line, in letters that drive no terminal. */
function nameText(name: unknown): string {
  return `\`${String(name)
    .slice(0, 64)
    .replace(/[^\x20-\x5f\x61-\x7e]/gu, "?")}\``;
}

function isLanguageModel(value: object): value is LanguageModel {
  const { doGenerate, doStream } = value as Partial<Record<string, unknown>>;
  return typeof doGenerate === "function" && typeof doStream === "function";
}

/** The AI SDK resolves a name through the application's default provider; its own default cannot be reached from here. */
function byName(name: string): unknown {
  const provider: unknown = Reflect.get(globalThis, "AI_SDK_DEFAULT_PROVIDER");
  if (typeof provider === "object" && provider !== null && "languageModel" in provider) {
    const { languageModel } = provider;
    if (typeof languageModel === "function") return Reflect.apply(languageModel, provider, [name]);
  }
  throw new SafeRunError(
    "agent.unsupported",
    `the model \`${name}\` is only named: give a model object, such as \`gateway("${name}")\` from \`ai\`, so that what it is asked can be recorded`,
  );
}

function unsupported(found: string): SafeRunError {
  return new SafeRunError("agent.unsupported", `${found}, where a language model of the AI SDK was expected`);
}
