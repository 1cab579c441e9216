/** The caller's side of the writer thread: a request goes over, a promise waits for its answer. */
import { Worker } from "node:worker_threads";
import { type CommitResult, ERROR_CODES, type ErrorCode, InvariantError, SafeRunError } from "@saferun/core";
import type { Request } from "./appender.ts";
import type { FromWriter, ToldByWriter, ToWriter, WireError, WriterData } from "./writer.ts";

export interface WriterClient {
  send(request: Request): Promise<CommitResult | null>;
  /** Waits for everything sent before, then ends the thread. */
  close(): Promise<void>;
}

/** In one message: the writer begins with these while the rest of the turn's callers still come to their requests. */
const MOST_UNSENT = 16;

interface Waiter {
  resolve(result: CommitResult | null): void;
  reject(error: Error): void;
}

/** Sources run by type stripping and find their packages by the `@saferun/source` condition; built files need neither. */
const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** `tell` hears what people have to know: that the disk is full, and that it is not any more. */
export function startWriter(data: WriterData, tell: (message: string) => void = () => {}): WriterClient {
  const script = new URL(FROM_SOURCE ? "./writer.ts" : "./writer.js", import.meta.url);
  const execArgv = ["--disable-warning=ExperimentalWarning", ...(FROM_SOURCE ? ["--conditions=@saferun/source"] : [])];
  const worker = new Worker(script, { workerData: data, execArgv, name: "saferun-writer" });
  const waiters = new Map<number, Waiter>();
  let lastId = 0;
  /** What this turn of the event loop has asked for and the writer has not got yet. */
  let unsent: ToWriter[] = [];
  let gone: SafeRunError | undefined;
  let closing = false;

  worker.on("message", (answers: FromWriter | ToldByWriter) => {
    if ("told" in answers) return tell(answers.told);
    for (const { id, answer } of answers) {
      const waiter = waiters.get(id);
      waiters.delete(id);
      if (answer.ok) waiter?.resolve(answer.result);
      else waiter?.reject(fromWire(answer.error));
    }
    if (waiters.size === 0 && !closing) worker.unref();
  });
  worker.on("error", (cause) =>
    end(new SafeRunError("record.unavailable", "the store's writer has failed", { cause })),
  );
  worker.on("exit", () => end(new SafeRunError("record.unavailable", "the store's writer has ended")));

  // An idle writer does not keep the process alive; one that owes an answer does. After the listeners: each of them would
  // keep it alive again.
  worker.unref();

  function end(error: SafeRunError): void {
    gone ??= error;
    for (const waiter of waiters.values()) waiter.reject(gone);
    waiters.clear();
  }

  function post(request: ToWriter["request"]): Promise<CommitResult | null> {
    return new Promise((resolve, reject) => {
      if (gone !== undefined) return reject(gone);
      const id = ++lastId;
      waiters.set(id, { resolve, reject });
      worker.ref();
      if (unsent.length === 0) process.nextTick(flush);
      unsent.push({ id, request } as ToWriter);
      if (unsent.length >= MOST_UNSENT) flush();
    });
  }

  /** A message has its price, and what many transactions share, as the detectors' settings, crosses once for all of them. */
  function flush(): void {
    const messages = unsent;
    if (messages.length === 0) return;
    unsent = [];
    try {
      worker.postMessage(messages);
    } catch {
      for (const message of messages) sendAlone(message);
    }
  }

  function sendAlone(message: ToWriter): void {
    try {
      worker.postMessage([message]);
    } catch (cause) {
      const waiter = waiters.get(message.id);
      waiters.delete(message.id);
      waiter?.reject(new SafeRunError("log.malformed", "a transaction with a value that is no data", { cause }));
    }
  }

  return {
    send: post,
    async close() {
      const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
      closing = true;
      await post("close");
      await exited;
    },
  };
}

function fromWire({ code, message, retryable, details }: WireError): Error {
  return isErrorCode(code) ? new SafeRunError(code, message, { retryable, details }) : new InvariantError(message);
}

function isErrorCode(code: string | null): code is ErrorCode {
  return ERROR_CODES.some((known) => known === code);
}
