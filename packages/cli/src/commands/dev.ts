/** `saferun dev`: the dashboard over the store of this project. */
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, type Shared } from "../command.ts";
import type { DevOptions } from "../dev/serve.ts";
import { storeOption } from "../store.ts";

export function registerDev(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("dev")
    .summary("open the dashboard: approvals, runs, log, budgets, policies")
    .description(
      "Serves the dashboard over the store of this project, to this machine and this account only, until Ctrl+C.\n" +
        "The printed link opens it once; its token for programs stands in a file that only you can read.",
    )
    .addOption(storeOption())
    .option("--new", "make the store that --store names where there is none; the one of this directory is made anyhow")
    .option("-p, --policies <files...>", "the policies that it shows and edits; default: those of this directory")
    .option("--port <number>", "the port; 0 takes any free one", portOf, 4242)
    .option("--open", "open the browser (default: on a terminal)")
    .option("--no-open", "do not open the browser")
    .action(
      run(async (options: Shared & DevOptions) => {
        // Loaded here: the server is large, and no other command needs it.
        const { serveDev } = await import("../dev/serve.ts");
        return serveDev(io, options);
      }),
    );
  describe(command, ["saferun dev", "saferun dev --port 5000 --no-open"]);
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError("it is a number from 0 to 65535");
  return port;
}
