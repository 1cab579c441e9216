/** What the model was asked and what it answered: recorded before and after, a prompt's history stored once. */
import { toHex } from "./call.ts";
import { invariant } from "./errors.ts";
import type { EntryDraft, PartDraft } from "./log/entry.ts";
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
   * Before the model is contacted. A message that this run has stored already is not stored again, and a prompt that
   * continues the one before says only what was added: a run of N steps costs N.
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
      const commitment = this.#commitment(content);
      fresh.set(digest, commitment);
      parts.push(content);
      return commitment;
    };
    const messages = request.messages.map((message, index) => refer(`message/${index}`, message));
    const settings = refer("settings", request.settings);
    const after = run.prompt === null ? null : run.prompt.commitment;
    const keep = sharedPrefix(run.prompt?.messages ?? [], messages);
    const added = messages.slice(keep);
    const prompt = part("prompt", { model: request.model, settings, after, keep, messages: added }, this.#random);
    const [last = [], ...earlier] = inGroups(parts).reverse();
    const overflow = earlier.reverse().map((group): EntryDraft => ({ type: "model.messages", parts: group }));
    await this.#write(run, [...overflow, { type: "model.requested", parts: [...last, prompt] }]);
    for (const [digest, commitment] of fresh) run.messages.set(digest, commitment);
    run.prompt = { commitment: this.#commitment(prompt), messages };
  }

  /** Before the answer is handed on. Ends the turn. */
  async response(run: Run, response: unknown): Promise<void> {
    const parts = [part("response", response, this.#random)];
    await this.#write(run, [{ type: "model.responded", parts }]);
    run.turn += 1;
  }

  async failure(run: Run, error: unknown): Promise<void> {
    const parts = [part("error", errorText(error), this.#random)];
    await this.#write(run, [{ type: "model.failed", parts }]);
  }

  #commitment(content: PartDraft): string {
    return toHex(partCommitment(content, this.#hash));
  }

  async #write(run: Run, entries: readonly EntryDraft[]): Promise<void> {
    const written = await this.#writer.commit(run, { entries: entries.map((entry) => ({ ...about(run), ...entry })) });
    invariant(written, "a transaction without rows has no conflict");
  }
}

/** A header holds a commitment for each part and has a bound, so a long history takes several entries. */
const PARTS_IN_ENTRY = 32;

function inGroups(parts: readonly PartDraft[]): PartDraft[][] {
  const groups: PartDraft[][] = [];
  for (let at = 0; at < parts.length; at += PARTS_IN_ENTRY) groups.push(parts.slice(at, at + PARTS_IN_ENTRY));
  return groups;
}

function sharedPrefix(before: readonly string[], now: readonly string[]): number {
  let length = 0;
  while (length < before.length && length < now.length && before[length] === now[length]) length++;
  return length;
}
