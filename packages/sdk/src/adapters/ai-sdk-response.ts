/** The parts of a streamed answer put together again, as the answer would have been without streaming. */

type Part = Readonly<Record<string, unknown>>;

export interface ResponseCollector {
  add(part: unknown): void;
  /** The part that ends an answer has come. */
  finished(): boolean;
  response(): Record<string, unknown> & { readonly content: readonly unknown[] };
}

export function responseCollector(): ResponseCollector {
  const content: unknown[] = [];
  const open = new Map<string, { type: string; text: string; providerMetadata?: unknown }>();
  const errors: unknown[] = [];
  let finish: Part | undefined;

  function text(type: string, part: Part): void {
    const key = `${type} ${String(part.id)}`;
    const block = open.get(key) ?? { type, text: "" };
    if (!open.has(key)) {
      open.set(key, block);
      content.push(block);
    }
    block.text += String(part.delta ?? "");
    // Of reasoning it is the signature, which the next prompt carries; as the framework does, the last one counts.
    if (part.providerMetadata !== undefined) block.providerMetadata = part.providerMetadata;
  }

  return {
    add(value) {
      if (typeof value !== "object" || value === null) return;
      const part = value as Part;
      switch (part.type) {
        case "text-start":
        case "text-delta":
        case "text-end":
          return text("text", part);
        case "reasoning-start":
        case "reasoning-delta":
        case "reasoning-end":
          return text("reasoning", part);
        case "tool-input-delta":
          return text("tool-input", part);
        case "finish":
          finish = part;
          return;
        case "error":
          errors.push(part.error instanceof Error ? part.error.message : part.error);
          return;
        case "stream-start":
        case "response-metadata":
        case "raw":
        case "tool-input-start":
        case "tool-input-end":
          return;
        default:
          content.push(part);
      }
    },
    finished: () => finish !== undefined,
    response() {
      // Once the call itself has come, its streamed input is there twice.
      const called = new Set(content.map((part) => (part as Part).toolCallId));
      const inputs = [...open].filter(([key]) => key.startsWith("tool-input "));
      const doubled = new Set<unknown>(inputs.filter(([key]) => called.has(key.slice(11))).map(([, block]) => block));
      return {
        content: content.filter((part) => !doubled.has(part)),
        finishReason: finish?.finishReason ?? null,
        usage: finish?.usage ?? null,
        ...(finish?.providerMetadata === undefined ? {} : { providerMetadata: finish.providerMetadata }),
        ...(errors.length === 0 ? {} : { errors }),
      };
    },
  };
}
