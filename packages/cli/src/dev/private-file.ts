/** Files that only this account can read, in SafeRun's state directory, outside of every project. */
import { renameSync, rmSync, writeFileSync } from "node:fs";

/** Whole or not at all, mode 0600 from its first byte. */
export function writePrivateFile(path: string, content: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, content, { mode: 0o600, flag: "wx" });
  renameSync(temporary, path);
}
