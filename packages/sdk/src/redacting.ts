/** What the record of a store must not hold, as any wrap of the process has said it. */
import {
  createRedactor,
  type Keeping,
  keepContent,
  type PartDraft,
  type PartRecorder,
  type Random,
  type RedactedKind,
  type Redactor,
  SafeRunError,
  type Sealing,
  sealedPart,
  type Transaction,
} from "@saferun/core";
import { nodeHash } from "@saferun/store";

export interface RedactOptions {
  /**
   * Exact values that must not be recorded, whatever they stand in: in the clear, JSON-escaped, in base64, hex or
   * URL-encoded. A function is asked before each commit; what it has said once stays secret.
   */
  readonly secrets?: readonly string[] | (() => readonly string[]);
  /** Beside `secret`, the keys and tokens of well-known services: `card` and `iban`, found by their check digits. */
  readonly kinds?: readonly RedactedKind[];
  /** Tool → paths of its calls: `{ "stripe.charge": ["args.card.number", "result.receipt.token"] }`. */
  readonly paths?: Readonly<Record<string, readonly string[]>>;
}

/** Secrets that are looked for; beyond them the oldest are given up. */
const MOST_SECRETS = 1_000;

/** One for each store: the wraps that share it mask what any of them has named. */
export class Redacting implements Redactor, PartRecorder {
  readonly #given: RedactOptions[] = [];
  readonly #secrets = new Set<string>();
  readonly #sealing: Sealing | undefined;
  #redactor: Redactor = createRedactor({});

  /** @param sealing Absent: a call whose content is to be sealed is denied. */
  constructor(sealing?: Sealing) {
    this.#sealing = sealing;
  }

  /** @throws SafeRunError `option.invalid`. */
  add(options: RedactOptions | undefined): void {
    if (options === undefined || this.#given.includes(options)) return;
    // Said before anything else of a wrap is done: an option that cannot be kept is no option.
    createRedactor({ ...options, secrets: secretsOf(options) });
    this.#given.push(options);
    for (const secret of secretsOf(options)) this.#learn(secret);
    this.#renew();
  }

  part(part: PartDraft): PartDraft {
    return this.#current().part(part);
  }

  sealed(part: PartDraft, of: Parameters<PartRecorder["sealed"]>[1], keep: Keeping): PartDraft {
    // A store of somebody else's may seal by itself: then nobody here knows what it makes of a part.
    if (this.#sealing === undefined) {
      throw new SafeRunError(
        "seal.missing",
        "the policies seal prompts and answers of models; give the store's directory",
      );
    }
    return sealedPart(part, of, keep, this.#sealing);
  }

  transaction(transaction: Transaction, random: Random): Transaction {
    return keepContent(this.#current().transaction(transaction, random), nodeHash, random, this.#sealing);
  }

  #current(): Redactor {
    let learned = false;
    for (const options of this.#given) {
      if (typeof options.secrets !== "function") continue;
      const fresh = secretsOf(options).filter((secret) => !this.#secrets.has(secret));
      // One that cannot be looked for stops the commit, each time: it must not be known and then passed over.
      if (fresh.length > 0) createRedactor({ secrets: fresh });
      for (const secret of fresh) learned = this.#learn(secret) || learned;
    }
    if (learned) this.#renew();
    return this.#redactor;
  }

  /** True for one that was not known. */
  #learn(secret: string): boolean {
    if (this.#secrets.has(secret)) return false;
    this.#secrets.add(secret);
    const [oldest] = this.#secrets;
    if (this.#secrets.size > MOST_SECRETS && oldest !== undefined) this.#secrets.delete(oldest);
    return true;
  }

  #renew(): void {
    const given = this.#given;
    const paths: Record<string, readonly string[]> = {};
    for (const [tool, more] of given.flatMap(({ paths: one = {} }) => Object.entries(one))) {
      paths[tool] = [...(paths[tool] ?? []), ...more];
    }
    const kinds = new Set<RedactedKind>(["secret", ...given.flatMap(({ kinds: one = [] }) => one)]);
    this.#redactor = createRedactor({ secrets: [...this.#secrets], kinds: [...kinds], paths });
  }
}

function secretsOf({ secrets = [] }: RedactOptions): readonly string[] {
  const said: unknown = typeof secrets === "function" ? secrets() : secrets;
  if (Array.isArray(said) && said.every((secret) => typeof secret === "string")) return said;
  throw new SafeRunError("option.invalid", "`redact.secrets` must be a list of texts, or a function that gives one");
}
