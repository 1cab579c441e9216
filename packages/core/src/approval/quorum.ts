/**
 * Who may answer a question, and when enough people have (calls.md, Approvals).
 *
 * Every pause reason's route must be satisfied: by distinct people, each with one of its roles, without those whom it
 * excludes. Counted is what was said of the version as it stands; an edit begins anew. Where more than one person is
 * needed, whoever made the edit does not count on their own version.
 */
import type { ApprovalTerms, PauseReason } from "../decision.ts";

export interface Approver {
  /** A principal: `local:NAME` for the account behind a CLI or dashboard of the embedded gate. */
  readonly id: string;
  /** `cli`, `dashboard`, `code`, or the channel. */
  readonly via: string;
  /** False where nobody proved who it is; said wherever the name is shown. */
  readonly verified: boolean;
  /** As whoever vouches for the identity states them, never the message that brings the answer. Absent: `approver`. */
  readonly roles?: readonly string[];
}

/** The role of people of whom nothing more is said, and the one that routes ask for where they name none. */
export const DEFAULT_ROLES: readonly string[] = Object.freeze(["approver"]);

/** What an approver permits beside the call itself. */
export interface GrantTerms {
  /** Argument paths that must be as in this call. Empty: whatever they are. An argument that this call has not is never covered. */
  readonly same: readonly string[];
  /** Ms from the decision. */
  readonly forMs: number;
  /** Calls after this one. */
  readonly count: number;
  /** Whole numbers at this path, added up over those calls. */
  readonly sum?: { readonly path: string; readonly most: number };
}

/** What people may permit, made from the call: its top-level arguments, each in one of the three. Plain data of the row. */
export interface GrantOffer {
  /** Stay as they are in this call. */
  readonly same: readonly string[];
  /** Texts that may differ from call to call. */
  readonly free: readonly string[];
  /** A whole number that is added up over the calls. */
  readonly amount?: string;
  /** What that counts, in every call that the grant is for; absent where it cannot be told. */
  readonly unit?: string;
}

/** One person's yes to a version. */
export interface Vote {
  readonly by: Approver;
  readonly at: number;
  readonly note: string | null;
  readonly grant?: GrantTerms;
}

/** The call as an approver changed it. */
export interface Edit {
  readonly by: Approver;
  readonly digest: string;
  readonly bytes: string;
}

export interface Question {
  readonly reasons: readonly PauseReason[];
  /** Principals for whom the call is: the run's, and the owner of the agent. */
  readonly requesters: readonly string[];
  /** For the version as it stands. */
  readonly votes: readonly Vote[];
  readonly edit: Edit | null;
}

/** A route with the people that it still waits for. */
export interface Missing {
  readonly route: string;
  readonly roles: readonly string[];
  /** How many more; at least 1. */
  readonly people: number;
}

/**
 * Whether two ids may be one person. `ann` at the terminal and `ann` in a channel are held for one, and so are spellings
 * of one name: taking two for one asks once more, taking one for two would let somebody agree with themselves.
 */
export function samePerson(left: string, right: string): boolean {
  return personOf(left) === personOf(right);
}

/** Undefined: this person may answer; else why not, in words for that person. */
export function refusalOf(question: Question, by: Approver): string | undefined {
  if (question.reasons.some(({ approval }) => isEligible(question, approval, by))) return undefined;
  if (question.reasons.some(({ approval }) => hasRole(approval, by)))
    return "whoever the call is for, or owns the agent, may not answer it";
  const roles = [...new Set(question.reasons.flatMap(({ approval }) => approval.roles))];
  return `this asks for the role ${roles.map((role) => `\`${role}\``).join(" or ")}`;
}

/** The routes that are not satisfied yet, one entry each, in the order of the reasons. */
export function missingOf(question: Question): readonly Missing[] {
  const missing = new Map<string, Missing>();
  for (const { approval } of question.reasons) {
    const people = approval.need - countFor(question, approval);
    // Two reasons may name one route; the terms decide, and those of an older revision may differ.
    const before = missing.get(approval.route)?.people ?? 0;
    if (people > before) missing.set(approval.route, { route: approval.route, roles: approval.roles, people });
  }
  return [...missing.values()];
}

/** Distinct people whose yes counts for this route. */
function countFor(question: Question, terms: ApprovalTerms): number {
  const { votes, edit } = question;
  const counting = votes.filter(
    ({ by }) => isEligible(question, terms, by) && !(terms.need > 1 && edit !== null && samePerson(by.id, edit.by.id)),
  );
  return new Set(counting.map(({ by }) => personOf(by.id))).size;
}

function isEligible({ requesters }: Question, terms: ApprovalTerms, by: Approver): boolean {
  const excluded = terms.not?.includes("requester") === true && requesters.some((id) => samePerson(id, by.id));
  return hasRole(terms, by) && !excluded;
}

function hasRole({ roles }: ApprovalTerms, by: Approver): boolean {
  const own = by.roles ?? DEFAULT_ROLES;
  return roles.some((role) => own.includes(role));
}

function personOf(id: string): string {
  return id
    .replace(/^local:/, "")
    .normalize("NFKC")
    .toLowerCase();
}
