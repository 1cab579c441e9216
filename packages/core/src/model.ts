/** What the model was asked and what it answered: recorded before and after, a prompt's history stored once. */
import { toHex } from "./call.ts";
import type { PartDraft } from "./log/entry.ts";
import { partCommitment } from "./log/part.ts";
import type { Hash, Random, Store } from "./ports.ts";
import { about, part } from "./record.ts";
import type { Run } from "./run.ts";

export interface ModelRequest {
  /** Provider and model, as the framework names them. */
  readonly model: string;
  readonly messages: readonly unknown[];
  /** Tools offered, temperature and the like; stored once while it stays the same. */
  readonly settings: unknown;
}

export interface ModelPorts {
  readonly store: Store;
  readonly hash: Hash;
  readonly random: Random;
}

/**
 * Before the model is contacted. The `prompt` part lists the commitments of its messages; a message that this run has
 * stored already is not stored again (record.md, Storage).
 * @throws SafeRunError when it cannot be recorded; then the model must not be asked.
 */
export async function recordRequest(ports: ModelPorts, run: Run, request: ModelRequest): Promise<void> {
  const fresh = new Map<string, string>();
  const parts: PartDraft[] = [];
  const refer = (name: string, value: unknown): string => {
    const content = part(name, value, ports.random);
    const digest = toHex(ports.hash.sha256(content.bytes));
    const known = run.messages.get(digest) ?? fresh.get(digest);
    if (known !== undefined) return known;
    const commitment = toHex(partCommitment(content, ports.hash));
    fresh.set(digest, commitment);
    parts.push(content);
    return commitment;
  };
  const messages = request.messages.map((message, index) => refer(`message/${index}`, message));
  const settings = refer("settings", request.settings);
  parts.push(part("prompt", { model: request.model, messages, settings }, ports.random));
  await record(ports, run, { ...about(run), type: "model.requested", parts });
  for (const [digest, commitment] of fresh) run.messages.set(digest, commitment);
}

/** Before the answer is handed on. Ends the step. */
export async function recordResponse(ports: ModelPorts, run: Run, response: unknown): Promise<void> {
  await record(ports, run, {
    ...about(run),
    type: "model.responded",
    parts: [part("response", response, ports.random)],
  });
  run.turn += 1;
}

export async function recordFailure(ports: ModelPorts, run: Run, error: unknown): Promise<void> {
  const text = error instanceof Error ? { name: error.name, message: error.message } : error;
  await record(ports, run, { ...about(run), type: "model.failed", parts: [part("error", text, ports.random)] });
}

async function record(
  ports: ModelPorts,
  run: Run,
  entry: Parameters<Store["commit"]>[0]["entries"][number],
): Promise<void> {
  const before = run.unwritten;
  run.unwritten = [];
  try {
    await ports.store.commit({ entries: [...before, entry] });
  } catch (error) {
    run.unwritten = [...before, ...run.unwritten];
    throw error;
  }
}
