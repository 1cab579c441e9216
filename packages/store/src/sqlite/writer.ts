/**
 * The writer thread: owns the connection that writes. All requests that have arrived by the time it looks are one
 * transaction, so that many callers share one fsync.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { invariant, SafeRunError } from "@saferun/core";
import { nodeHash } from "../node/ports.ts";
import { type Answer, type AppenderOptions, createAppender, type Request } from "./appender.ts";

export type ToWriter =
  | { readonly id: number; readonly request: Request }
  | { readonly id: number; readonly request: "close" };

/** An error as it crosses the thread. */
export interface WireError {
  readonly code: string | null;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export type FromWriter = readonly {
  readonly id: number;
  readonly answer: Extract<Answer, { ok: true }> | { readonly ok: false; readonly error: WireError };
}[];

/** Said by the writer unasked, for people. */
export interface ToldByWriter {
  readonly told: string;
}

export type WriterData = Omit<AppenderOptions, "hash" | "tell">;

/** Requests after which a transaction takes no more messages, so that the first does not wait for ever. */
const MOST_AT_ONCE = 512;

const port = parentPort;
invariant(port !== null, "the writer runs in a thread of its own");
const appender = createAppender({ ...(workerData as WriterData), hash: nodeHash, tell });

function tell(told: string): void {
  port?.postMessage({ told } satisfies ToldByWriter);
}

port.on("message", (first: readonly ToWriter[]) => {
  const group = [...first];
  while (group.length < MOST_AT_ONCE && group.at(-1)?.request !== "close") {
    const more = receiveMessageOnPort(port);
    if (more === undefined) break;
    group.push(...(more.message as readonly ToWriter[]));
  }
  const requests = group.flatMap(({ id, request }) => (request === "close" ? [] : [{ id, request }]));
  const answers = requests.length === 0 ? [] : appender.apply(requests.map(({ request }) => request));
  port.postMessage(requests.map(({ id }, index) => ({ id, answer: wire(answers[index]) })) satisfies FromWriter);
  const last = group.at(-1);
  if (last?.request === "close") close(last.id);
});

function close(id: number): void {
  let answer: Answer = { ok: true, result: null };
  try {
    appender.close();
  } catch (error) {
    answer = { ok: false, error: error instanceof Error ? error : new Error(String(error)) };
  }
  port?.postMessage([{ id, answer: wire(answer) }] satisfies FromWriter);
  port?.close();
}

function wire(answer: Answer | undefined): FromWriter[number]["answer"] {
  invariant(answer !== undefined, "a request without an answer");
  if (answer.ok) return answer;
  const { error } = answer;
  const { message } = error;
  if (!(error instanceof SafeRunError))
    return { ok: false, error: { code: null, message, retryable: false, details: {} } };
  const { code, retryable, details } = error;
  return { ok: false, error: { code, message, retryable, details } };
}
