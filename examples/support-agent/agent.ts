/** The support agent as its team would write it: nothing in this file knows about SafeRun. */
import { createOpenAI } from "@ai-sdk/openai";
import { isStepCount, ToolLoopAgent, tool } from "ai";
import { z } from "zod";

export interface AgentOptions {
  /** Base URL of the model's API. */
  readonly modelUrl: string;
  /** Base URLs of the tool servers, by name. */
  readonly toolUrls: Readonly<Record<string, string>>;
  /** Called right before and right after each request to a tool server. */
  readonly onStep?: (step: string) => void;
}

const REQUEST_MS = 10_000;

export function createSupportAgent({ modelUrl, toolUrls, onStep }: AgentOptions) {
  const openai = createOpenAI({ baseURL: modelUrl, apiKey: "scripted" });

  async function post(server: string, operation: string, args: object, options: Execution): Promise<unknown> {
    onStep?.(`before ${options.toolCallId}`);
    const response = await fetch(`${toolUrls[server]}/${operation}`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": options.toolCallId },
      body: JSON.stringify(args),
      signal: AbortSignal.any([AbortSignal.timeout(REQUEST_MS), ...(options.abortSignal ? [options.abortSignal] : [])]),
    });
    if (!response.ok)
      throw Object.assign(new Error(`${server} answered ${response.status}`), { status: response.status });
    const result: unknown = await response.json();
    onStep?.(`after ${options.toolCallId}`);
    return result;
  }

  return new ToolLoopAgent({
    model: openai("gpt-5"),
    instructions: "You are the support agent of a small shop. Amounts are in cents.",
    stopWhen: isStepCount(8),
    maxRetries: 0,
    tools: {
      get_order: tool({
        description: "Look up an order.",
        inputSchema: z.object({ order_id: z.string() }),
        execute: (args, options) => post("orders", "get_order", args, options),
      }),
      get_ticket: tool({
        description: "Read what a customer wrote.",
        inputSchema: z.object({ ticket_id: z.string() }),
        execute: (args, options) => post("orders", "get_ticket", args, options),
      }),
      get_parcel: tool({
        description: "Ask the carrier where a parcel is.",
        inputSchema: z.object({ parcel_id: z.string() }),
        execute: (args, options) => post("carrier", "get_parcel", args, options),
      }),
      list_leads: tool({
        description: "List the mail addresses of all leads.",
        inputSchema: z.object({}),
        execute: (args, options) => post("orders", "list_leads", args, options),
      }),
      refund: tool({
        description: "Pay money back to the customer of an order.",
        inputSchema: z.object({
          order_id: z.string(),
          amount: z.int().describe("cents"),
          currency: z.string(),
          reason: z.string(),
        }),
        execute: (args, options) => post("payments", "refund", args, options),
      }),
      send_mail: tool({
        description: "Send a mail.",
        inputSchema: z.object({ to: z.array(z.string()), subject: z.string(), body: z.string() }),
        execute: (args, options) => post("mail", "send_mail", args, options),
      }),
    },
  });
}

/** What the AI SDK tells a tool about the call. */
interface Execution {
  readonly toolCallId: string;
  readonly abortSignal?: AbortSignal;
}
