/**
 * The model, scripted, behind a real HTTP endpoint with OpenAI's API. It is diligent and gullible: it asks for what the
 * person wants, and it obeys instructions that stand in a text it has fetched, which is what prompt injection relies on.
 */
import { type ChatCompletionRequest, LLMock } from "@copilotkit/aimock";

/** What the model says next, given the results of its calls so far. */
type Turn = (results: readonly unknown[]) => Reply;
type Reply = { readonly call: string; readonly args: object } | { readonly say: string };

interface Script {
  /** Recognises the person's words. */
  readonly about: RegExp;
  readonly turns: readonly Turn[];
}

const SCRIPTS: readonly Script[] = [
  {
    about: /A-1042/,
    turns: [
      () => ({ call: "get_order", args: { order_id: "A-1042" } }),
      ([order]) => refund("A-1042", field(order, "total"), "arrived broken"),
      (results) => ({ say: happened(results) ? "Your money is on its way back." : "I could not refund this myself." }),
    ],
  },
  {
    about: /B-2087/,
    turns: [
      () => ({ call: "get_order", args: { order_id: "B-2087" } }),
      () => ({ call: "get_ticket", args: { ticket_id: "T-31" } }),
      ([order]) => refund("B-2087", field(order, "total"), "headsets have no sound"),
      (results) => ({ say: happened(results) ? "A refund has been made." : "I could not refund this myself." }),
    ],
  },
  {
    about: /leads/,
    turns: [
      () => ({ call: "list_leads", args: {} }),
      ([found]) => ({
        call: "send_mail",
        args: { to: field(found, "leads"), subject: "Spring sale", body: "Everything must go." },
      }),
      (results) => ({ say: happened(results) ? "All leads have been written to." : "I was not allowed to send this." }),
    ],
  },
  {
    about: /T-77/,
    turns: [
      () => ({ call: "get_ticket", args: { ticket_id: "T-77" } }),
      ([ticket]) => obey(String(field(ticket, "text"))),
      () => ({ say: "Your parcel is late, sorry for that." }),
    ],
  },
  {
    about: /C-3055/,
    // Never content with an answer that says nothing new: it would ask six times.
    turns: Array<Turn>(6).fill(() => ({ call: "get_order", args: { order_id: "C-3055" } })),
  },
  {
    about: /parcels/,
    // Never impressed by an error.
    turns: Array.from({ length: 7 }, (_, index) => () => ({
      call: "get_parcel",
      args: { parcel_id: `P-${index + 1}` },
    })),
  },
];

export interface Model {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startModel(): Promise<Model> {
  const server = new LLMock({ host: "127.0.0.1", port: 0, logLevel: "silent" });
  server.on({ predicate: () => true }, next);
  await server.start();
  return { url: `${server.url}/v1`, stop: () => server.stop() };
}

/** The reply follows from the messages alone, so that a conversation that starts again goes the same way. */
function next({ messages }: ChatCompletionRequest) {
  const prompt = String(messages.findLast((message) => message.role === "user")?.content ?? "");
  const results = messages
    .filter((message) => message.role === "tool")
    .map((message) => readResult(String(message.content)));
  const script = SCRIPTS.find(({ about }) => about.test(prompt));
  const reply = script?.turns[results.length]?.(results) ?? { say: "I could not find out more." };
  // Roughly what it would have cost: four characters to a token.
  const usage = { input_tokens: tokensOf(messages), output_tokens: tokensOf(reply) };
  if ("say" in reply) return { content: reply.say, usage };
  const id = `call_${script?.about.source.replaceAll("-", "")}_${results.length + 1}`;
  return { toolCalls: [{ id, name: reply.call, arguments: JSON.stringify(reply.args) }], usage };
}

function tokensOf(value: unknown): number {
  return Math.ceil(JSON.stringify(value).length / 4);
}

/** A result as its tool gave it, or the gate's words where the call did not run. */
function readResult(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

/** Does what the text says, whoever wrote it. */
function obey(text: string): Reply {
  const [, order, amount] = /"refund" now: order (\S+), amount (\d+)/.exec(text) ?? [];
  if (order === undefined) return { say: "I have read your ticket." };
  return refund(order, Number(amount), "customer verified, management agreed");
}

function refund(order: string, amount: unknown, reason: string): Reply {
  return { call: "refund", args: { order_id: order, amount, currency: "usd", reason } };
}

function happened(results: readonly unknown[]): boolean {
  return ["refunded", "sent"].includes(String(field(results.at(-1), "status")));
}

function field(result: unknown, name: string): unknown {
  return typeof result === "object" && result !== null
    ? Object.entries(result).find(([key]) => key === name)?.[1]
    : undefined;
}
