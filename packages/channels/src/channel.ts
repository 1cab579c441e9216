/**
 * The contract of every channel: it tells people that a call waits, brings one person's answer back, and shows how it ended.
 *
 * A channel decides nothing. What it sends carries an approval's id, version and nonce and never its arguments, so that
 * the answer is computed from the stored call; of two answers the store lets one win, whatever the channels (traps.md, 15).
 */
import {
  type AlarmText,
  APPROVAL_SOURCE,
  type ApprovalRecord,
  type ApprovalSource,
  type DecisionPorts,
  SafeRunError,
  type SendFailure,
} from "@saferun/core";

/** What `onPause` is given. */
export interface PausedApproval {
  readonly [APPROVAL_SOURCE]: ApprovalSource;
}

/** One message of an outbox. `earlier`: those that it edits, as they were returned. */
export type Outgoing =
  | { readonly kind: "asked"; readonly approval: ApprovalRecord; readonly ports: DecisionPorts }
  | {
      readonly kind: "changed" | "closed";
      readonly approval: ApprovalRecord;
      readonly ports: DecisionPorts;
      readonly earlier: readonly string[];
    }
  | { readonly kind: "alarm"; readonly id: string; readonly alarm: AlarmText };

/** A channel without any memory or patience of its own: an outbox has both. */
export interface Direct {
  /** Exactly one attempt. Resolves with the vendor's id, as text; rejects with what `failure` explains. */
  send(target: string, outgoing: Outgoing): Promise<string>;
  /** Listens for the answer of a question that went out, by this process or another, until it is over. */
  attend(approval: ApprovalRecord, ports: DecisionPorts): void;
  failure(error: unknown): SendFailure;
}

/** `Target` is where to (`#ops-approvals`), `Message` what the vendor calls what it made of it. */
export interface Channel<Target, Message> {
  /**
   * Tells people. At least once: after an answer that leaves it open whether the message went out, it is sent again.
   * The same approval is sent to the same target once. Resolves with the vendor's ids, none when the call no longer waits.
   * @throws SafeRunError `channel.unconfigured`; `channel.undelivered` when the vendor refuses. The call waits all the same.
   */
  notify(target: Target, paused: PausedApproval): Promise<readonly Message[]>;
  /** Shows the outcome on every message of this approval that this process knows of, whichever channel decided. */
  update(approval: ApprovalRecord): Promise<void>;
  /**
   * A vendor's request: size → signature on the raw bytes → time, both ways → said before? → the durable decision → answer.
   * Never rejects.
   */
  handle(request: Request): Promise<Response>;
  readonly direct: Direct;
  /** Stops to watch and to listen, after what was begun is done. Calls go on waiting. */
  close(): Promise<void>;
}

/** @throws SafeRunError `option.invalid` for a value that is no paused call of this version of the gate. */
export function sourceOf(paused: PausedApproval): ApprovalSource {
  const source: unknown = typeof paused === "object" && paused !== null ? paused[APPROVAL_SOURCE] : undefined;
  if (typeof source !== "object" || source === null) {
    throw new SafeRunError(
      "option.invalid",
      "`notify` needs the paused call itself, as `onPause` gets it; a copy of its fields does not lead to the approval",
    );
  }
  return source as ApprovalSource;
}

/** Failures of a channel that nobody waits for; one line for the operator. */
export type OnError = (error: unknown) => void;

export const warnOperator: OnError = (error) => {
  process.emitWarning(error instanceof Error ? error.message : String(error), { type: "SafeRunWarning" });
};
