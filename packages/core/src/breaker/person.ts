/** Who may stop, and who may undo it. */

/** As signed in, never as claimed. `agent` and `service` stand for everything that is no person. */
export interface Actor {
  readonly id: string;
  readonly kind: "person" | "service" | "agent";
  readonly roles: readonly string[];
  /** The account that the embedded gate runs under: nobody checked who that is, and there is no second one to ask. */
  readonly local?: boolean;
}

/** Undoing a protection is an act of a named person with this role. */
export const RESET_ROLE = "admin";
const STOP_ROLES: readonly string[] = ["approver", RESET_ROLE];

/** Stopping is cheap: any approver. */
export function mayStop(actor: Actor): boolean {
  return isNamed(actor) && actor.roles.some((role) => STOP_ROLES.includes(role));
}

export function mayReset(actor: Actor): boolean {
  return isNamed(actor) && actor.roles.includes(RESET_ROLE);
}

function isNamed({ id, kind }: Actor): boolean {
  return kind === "person" && id.trim() !== "";
}
