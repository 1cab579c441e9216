/** What the model was asked and what it answered: recorded before and after, a prompt's history stored once. */
import { toHex } from "./call.ts";
import { invariant } from "./errors.ts";
import type { EntryType, PartDraft } from "./log/entry.ts";
import { partCommitment } from "./log/part.ts";
import type { Hash, Random } from "./ports.ts";
import { about, errorText, part } from "./record.ts";
import type { Run } from "./run.ts";
import type { RunWriter } from "./run-writer.ts";

export interface ModelRequest {
  /** Provider and model, as the framework names them. */
  readonly model: string;
  readonly messages: readonly unknown[];
  /** Tools offered, temperature and the like; stored once while it stays the same. */
  readonly settings: unknown;
}

export class ModelRecorder {
  readonly #writer: RunWriter;
  readonly #hash: Hash;
  readonly #random: Random;

  constructor(writer: RunWriter, hash: Hash, random: Random) {
    this.#writer = writer;
    this.#hash = hash;
    this.#random = random;
  }

  /**
   * Before the model is contacted. The `prompt` part lists the commitments of its messages; a message that this run has
   * stored already is not stored again (record.md, Storage).
   * @throws SafeRunError when it cannot be recorded; then the model must not be asked.
   */
  async request(run: Run, request: ModelRequest): Promise<void> {
    const fresh = new Map<string, string>();
    const parts: PartDraft[] = [];
    const refer = (name: string, value: unknown): string => {
      const content = part(name, value, this.#random);
      const digest = toHex(this.#hash.sha256(content.bytes));
      const known = run.messages.get(digest) ?? fresh.get(digest);
      if (known !== undefined) return known;
      const commitment = toHex(partCommitment(content, this.#hash));
      fresh.set(digest, commitment);
      parts.push(content);
      return commitment;
    };
    const messages = request.messages.map((message, index) => refer(`message/${index}`, message));
    const settings = refer("settings", request.settings);
    parts.push(part("prompt", { model: request.model, messages, settings }, this.#random));
    await this.#write(run, "model.requested", parts);
    for (const [digest, commitment] of fresh) run.messages.set(digest, commitment);
  }

  /** Before the answer is handed on. Ends the turn. */
  async response(run: Run, response: unknown): Promise<void> {
    await this.#write(run, "model.responded", [part("response", response, this.#random)]);
    run.turn += 1;
  }

  async failure(run: Run, error: unknown): Promise<void> {
    await this.#write(run, "model.failed", [part("error", errorText(error), this.#random)]);
  }

  async #write(run: Run, type: EntryType, parts: readonly PartDraft[]): Promise<void> {
    const written = await this.#writer.commit(run, { entries: [{ ...about(run), type, parts }] });
    invariant(written, "a transaction without rows has no conflict");
  }
}
