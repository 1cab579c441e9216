/** What makes a button ours: a keyed digest of the approval, its version and its call, checked without any memory. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ApprovalRecord } from "@saferun/core";

export type Nonces = Readonly<{
  of(approval: ApprovalRecord, version?: number): string;
  /** For the version that the button was made for, which need not be the present one. */
  isOf(candidate: string, approval: ApprovalRecord, version: number): boolean;
}>;

/** `purpose` keeps the buttons of one channel from being used in another. */
export function createNonces(secret: string, purpose: string): Nonces {
  const key = createHmac("sha256", secret).update(`saferun/nonce/v1\0${purpose}`).digest();
  const of = ({ id, version, digest }: ApprovalRecord, shown = version): string =>
    createHmac("sha256", key)
      .update(JSON.stringify([id, shown, digest]))
      .digest()
      .subarray(0, 16)
      .toString("base64url");
  return { of, isOf: (candidate, approval, version) => sameText(candidate, of(approval, version)) };
}

/** In time that depends on the lengths alone. */
export function sameText(candidate: string, expected: string): boolean {
  const left = Buffer.from(candidate);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}
