/** Who is behind a vendor's account: said by configuration, never by a name or an address in a message (traps.md, 16). */
import { SafeRunError } from "@saferun/core";
import { printable } from "./shown.ts";

export interface Person {
  /** The principal's id: what stands in the record. */
  readonly principal: string;
  /** Default `approver`, the role that routes ask for where they name none. */
  readonly roles?: readonly string[];
}

/** The vendor's own account id (`U024BE7LH`) → the person. */
export type People = Readonly<Record<string, Person>>;

/** For the gate, which knows whom the question's routes ask for. */
export function rolesOf({ roles }: Person): { readonly roles?: readonly string[] } {
  return roles === undefined ? {} : { roles };
}

export function personOf(people: People, account: string): Person | undefined {
  return Object.hasOwn(people, account) ? people[account] : undefined;
}

const ENTRY = /^([^\s=,]+)=([^\s=,:]+)(?::([^\s=,:]+))?$/;

/**
 * `U024BE7LH=ann:finance+ops, U0G9QF9C6=bob` → people. `variable` names the source in the message.
 * @throws SafeRunError `channel.unconfigured` for anything else: who may approve is never guessed.
 */
export function parsePeople(text: string, variable: string): People {
  const people: Record<string, Person> = Object.create(null) as Record<string, Person>;
  for (const entry of text.split(",").map((piece) => piece.trim())) {
    if (entry === "") continue;
    const [, account, principal, roles] = ENTRY.exec(entry) ?? [];
    if (account === undefined || principal === undefined) {
      throw unconfigured(
        `\`${variable}\` has \`${printable(entry)}\`; write \`ACCOUNT=name\` or \`ACCOUNT=name:role+role\``,
      );
    }
    if (Object.hasOwn(people, account)) throw unconfigured(`\`${variable}\` names \`${printable(account)}\` twice`);
    people[account] = { principal, ...(roles === undefined ? {} : { roles: roles.split("+") }) };
  }
  return people;
}

export function unconfigured(message: string): SafeRunError {
  return new SafeRunError("channel.unconfigured", message);
}

/** @throws SafeRunError `channel.unconfigured` when the variable is not there or empty. */
export function needed(variables: Readonly<Record<string, string | undefined>>, name: string, what: string): string {
  const value = variables[name];
  if (value === undefined || value.trim() === "") throw unconfigured(`\`${name}\` is not set: it is ${what}`);
  return value.trim();
}
