/** Opening the page in the person's browser. */
import { spawn } from "node:child_process";
import { platform } from "node:os";
import { pathToFileURL } from "node:url";
import { writePrivateFile } from "./private-file.ts";

/**
 * Opens a private file that leads to `link`: the link's code must not stand in the arguments of a process, which other
 * accounts can list. A machine without a browser is no error, the link is printed as well.
 */
export function openBrowser(link: string, file: string): void {
  writePrivateFile(
    file,
    `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${link}"><title>SafeRun</title><a href="${link}">open SafeRun</a>\n`,
  );
  const [command, ...args] = opener();
  const child = spawn(command, [...args, pathToFileURL(file).href], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}

function opener(): [string, ...string[]] {
  switch (platform()) {
    case "darwin":
      return ["open"];
    case "win32":
      return ["explorer.exe"];
    default:
      return ["xdg-open"];
  }
}
