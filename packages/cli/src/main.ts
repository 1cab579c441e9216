/** The entry point of the `saferun` command. */
import { processIo } from "./io.ts";
import { runCommandLine } from "./program.ts";

// A reader such as `head` may close the pipe: that is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 3));

const argv = process.argv.slice(2);
process.exitCode = await runCommandLine(argv, processIo(argv));
