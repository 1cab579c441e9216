/** `saferun log reconcile`: a person has looked at a record that was restored from a backup, and lets it go on. */
import {
  createFileSigner,
  installation,
  openSqliteStore,
  openStoreKeys,
  parseAnchors,
  reconcileStore,
  redacted,
  signingKeyPath,
} from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { counted } from "../output/counted.ts";
import { printable } from "../output/printable.ts";
import { localActor } from "../protections/act.ts";
import { requireStore, storeOption } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly reason: string;
}

export function registerReconcile(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("reconcile")
    .summary("let a record go on that was restored from a backup")
    .description(
      "A record that is behind the last head which this account or an anchor knows takes nothing: no call runs on it.\n" +
        "This says that a person knows why. What waited for an answer, and every grant, counts no more; what was running is\n" +
        "`unknown`; what was erased since the backup, or went because of its age, goes again. An entry says who went on from where, and why.",
    )
    .addOption(storeOption())
    .requiredOption("--reason <text>", "why; it stays in the log")
    .action(run((options: Options) => reconcile(io, options)));
  describe(command, ['saferun log reconcile --reason "disk replaced, backup of 6 October"']);
}

async function reconcile(io: Io, { store: directory, reason, json }: Options): Promise<ExitCode> {
  const path = requireStore(io, directory);
  const store = redacted(openSqliteStore({ directory: path }), openStoreKeys(path));
  try {
    const { lost, expired, unknown, broken, grants, erased, retained, unreached } = await reconcileStore(store, {
      installation: installation(),
      signer: createFileSigner(signingKeyPath(store.directory)),
      anchors: parseAnchors(process.env.SAFERUN_ANCHORS ?? ""),
      reason,
      by: localActor(io),
    });
    if (json) {
      const counts = { expired: expired.length, grants, erased, retained };
      printJson(io, { lost: lost.size, ...counts, unknown, broken: broken.map(({ call }) => call), unreached });
      return EXIT.fine;
    }
    io.print(`the record goes on; the one of ${lost.size} entries is lost`);
    io.print(
      `${counted(expired.length, "question")} and ${counted(grants, "grant")} count no more; ${counted(erased, "part")} erased again`,
    );
    if (retained > 0) io.print(`${counted(retained, "entry", "entries")} lost the content again, because of its age`);
    for (const call of unknown) io.print(`unknown: \`${call}\` (\`saferun budgets reconcile ${call}\`)`);
    for (const { call, why } of broken) io.print(`damaged: \`${call}\`: ${printable(why)}`);
    for (const left of unreached) io.print(`not reached: ${printable(left)}`);
    return EXIT.fine;
  } finally {
    await store.close();
  }
}
