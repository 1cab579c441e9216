/**
 * Keys that were opened, as long as nobody else has written to the file that holds them: looking a key up and unwrapping it
 * costs more than what it seals. What leaves is overwritten.
 */

/** The one that was opened longest ago leaves first. */
const MOST = 256;

export interface KnownKey {
  readonly id: string;
  readonly key: Buffer;
}

export class OpenedKeys {
  readonly #version: () => unknown;
  readonly #keys = new Map<string, KnownKey>();
  readonly #scopes = new Map<string, string>();
  readonly #ties = new Set<string>();
  #seen: unknown;

  /** @param version Another one whenever another process, or another opening in this one, has written. */
  constructor(version: () => unknown) {
    this.#version = version;
  }

  ofId(id: string): KnownKey | undefined {
    this.#believe();
    return this.#keys.get(id);
  }

  ofScope(scope: string): KnownKey | undefined {
    this.#believe();
    return this.#keys.get(this.#scopes.get(scope) ?? "");
  }

  hasTie(tie: string): boolean {
    this.#believe();
    return this.#ties.has(tie);
  }

  add(known: KnownKey, scope?: string): void {
    this.#keys.set(known.id, known);
    if (scope !== undefined) this.#scopes.set(scope, known.id);
    for (const [id, { key }] of this.#keys) {
      if (this.#keys.size <= MOST) break;
      this.#keys.delete(id);
      key.fill(0);
    }
    if (this.#scopes.size > 2 * MOST) this.#scopes.clear();
  }

  addTie(tie: string): void {
    if (this.#ties.size >= MOST) this.#ties.clear();
    this.#ties.add(tie);
  }

  forget(): void {
    for (const { key } of this.#keys.values()) key.fill(0);
    this.#keys.clear();
    this.#scopes.clear();
    this.#ties.clear();
  }

  #believe(): void {
    const version = this.#version();
    if (version !== this.#seen) this.forget();
    this.#seen = version;
  }
}
