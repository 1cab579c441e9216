/** What people have permitted for a while: chosen at the terminal, listed, taken back. */

import {
  type ApprovalRecord,
  chosenGrant,
  type GrantTerms,
  grantMistakeText,
  type JsonObject,
  parseGrantChoice,
  type StandingGrant,
  type Store,
  spanText,
  standingGrants,
} from "@saferun/core";
import { iso } from "@saferun/server/wire";
import { nodeClock } from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable, short } from "../output/printable.ts";
import { table } from "../output/table.ts";
import { leaf } from "../output/tree.ts";
import { storeOption, withReadOnlyStore } from "../store.ts";
import { approverText } from "./answer.ts";

interface Options extends Shared {
  readonly store: string;
}

const LIST_LIMIT = 1_000;

export const GRANT_HELP = "permit the like too, for a while: `for=1h count=5 most=50`; for: 15m, 1h, 4h, run";

/**
 * The terms that `--grant` chooses of what this call offers.
 * @throws CommandError (usage) for anything else.
 */
export function grantChosen(approval: ApprovalRecord, text: string): GrantTerms {
  const parsed = parseGrantChoice(text);
  if ("mistake" in parsed) throw usage(`\`--grant\`: ${parsed.mistake}`);
  const chosen = chosenGrant(approval, parsed.choice);
  if ("mistakes" in chosen) throw usage(`${printable(approval.id)}: ${grantMistakeText(chosen.mistakes)}`);
  return chosen.grant;
}

export function registerGrants(parent: Command, { io, run }: CommandSetup): void {
  const list = parent
    .command("grants")
    .summary("list what is permitted for a while, and what is used of it")
    .description("Lists the grants that a call could still use. `saferun approvals revoke` ends one.")
    .addOption(storeOption())
    .action(run((options: Options) => withReadOnlyStore(io, options.store, (store) => showGrants(io, store, options))));
  describe(list, ["saferun approvals grants", "saferun approvals grants --json"]);
}

async function showGrants(io: Io, store: Store, options: Options): Promise<ExitCode> {
  const now = nodeClock.now();
  const grants = await standingGrants({ store, clock: nodeClock }, LIST_LIMIT);
  if (options.json) printJson(io, { grants: grants.map(grantJson) });
  else if (grants.length === 0) io.print("nothing is permitted beside single calls");
  else
    io.print(
      [...grantLines(grants, now, io), "", "to end one", "  saferun approvals revoke ID --note 'why'"].join("\n"),
    );
  return EXIT.fine;
}

function grantLines(grants: readonly StandingGrant[], now: number, { style }: Io): string[] {
  const rows = grants.map(({ approval, tool, same, until, calls, sum, by }) => [
    approval,
    short(tool, 40),
    same.length === 0
      ? "whatever"
      : same.map(([path, value]) => `${printable(path)}=${short(leaf(value), 40)}`).join(" "),
    `${calls.used} of ${calls.of} calls`,
    sum === undefined ? "" : `${sum.used} of ${sum.of} ${printable(sum.path)}`,
    style.dim(`ends in ${spanText(until - now)}`),
    style.dim(`by ${by.map(approverText).join(" and ")}`),
  ]);
  return table([["APPROVAL", "TOOL", "THE SAME", "USED", "", "", ""].map(style.dim), ...rows]);
}

function grantJson(grant: StandingGrant): JsonObject {
  const { approval, run, tool, agent, environment, by, same, until, calls, sum } = grant;
  return {
    ...{ approval, run, tool, agent, environment },
    by: by.map(({ id, via, verified }) => ({ id, via, verified })),
    same: Object.fromEntries(same.map(([path, value]) => [path, value ?? null])),
    until: iso(until),
    calls: { ...calls },
    sum: sum === undefined ? null : { ...sum },
  };
}
