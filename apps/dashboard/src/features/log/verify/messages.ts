/** What the page and its verifier say to one another. */
export interface VerifyRequest {
  /** The page's half of the session: the verifier reads the log itself. */
  readonly pageKey: string;
  /** The public key that the person kept; empty: none. */
  readonly pinned: string;
}

export interface Fault {
  readonly seq: number;
  readonly fault: string;
  readonly where: string;
  readonly message: string;
}

export interface VerifyResult {
  readonly status: "verified" | "self-consistent" | "faulty";
  readonly entries: number;
  readonly signedUpTo: number;
  readonly unsigned: number;
  /** Ms; null where nothing is signed. */
  readonly signedAt: number | null;
  /** Entries before it lie in archives, which are verified where they are kept. */
  readonly archivedTo: number;
  /** The key that the log names itself: whoever could change the log could change it too. */
  readonly claimed: string | null;
  readonly faults: readonly Fault[];
}

export type VerifyMessage =
  | { readonly kind: "progress"; readonly entries: number; readonly of: number }
  | { readonly kind: "done"; readonly result: VerifyResult }
  | { readonly kind: "failed"; readonly message: string };
