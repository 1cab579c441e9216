/** Who answers at a terminal or its page: the account of this machine, which nobody has verified (docs/limits.md). */
import { type Approver, DEFAULT_ROLES } from "@saferun/core";
import { usage } from "../exit.ts";
import { printable } from "../output/printable.ts";

/** Roles as this account states them for itself: they keep people from mistakes, not from one another. */
export function localApprover(
  user: string,
  via: "cli" | "dashboard",
  variables: Readonly<Record<string, string | undefined>> = process.env,
): Approver {
  return { id: `local:${user}`, via, verified: false, roles: rolesOf(variables.SAFERUN_ROLES) };
}

function rolesOf(text: string | undefined): readonly string[] {
  if (text === undefined || text.trim() === "") return DEFAULT_ROLES;
  const roles = text.split(",").map((role) => role.trim());
  const wrong = roles.find((role) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,255}$/.test(role));
  if (wrong !== undefined)
    throw usage(`\`SAFERUN_ROLES\` has \`${printable(wrong)}\`; write roles like \`finance,approver\``);
  return roles;
}
