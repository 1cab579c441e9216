/** Looks at a store as an account that is not root, for which no directory is read-only: `node viewing-process.ts DIRECTORY` */
import { CommandError } from "../src/exit.ts";
import { processIo } from "../src/io.ts";
import { withContent } from "../src/viewing.ts";

const [directory = ""] = process.argv.slice(2);
const NOBODY = 65_534;
if (process.geteuid?.() === 0) {
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
const io = processIo([]);
try {
  await withContent(io, directory, async (store, looking) => {
    const entries = await store.entries({ from: 0, limit: 100 });
    io.warn(`read ${entries.length > 0}`);
    await looking.shows({ what: "runs", target: {} });
    for (const { bytes } of entries.flatMap(({ parts }) => parts)) io.print(String(bytes));
  });
} catch (error) {
  io.warn(error instanceof CommandError ? `${error.exit} ${error.code} ${error.message}` : String(error));
}
