/** The dashboard's files, as they were built: a shell without data, scripts and styles. */
import { globSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { failed } from "../exit.ts";

export interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  /** Its name changes with its content: a browser may keep it. */
  readonly immutable: boolean;
}

export interface Page {
  /** What every address of the dashboard gets. */
  readonly shell: PageFile;
  /** By path, such as `/assets/index-4f0c.js`. */
  readonly files: ReadonlyMap<string, PageFile>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** @throws CommandError `page.missing` where nothing was built. */
export function readPage(): Page {
  const directory = fileURLToPath(new URL("dist/", import.meta.resolve("@saferun/dashboard/package.json")));
  const files = new Map<string, PageFile>();
  for (const name of globSync("**/*.*", { cwd: directory })) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = new Uint8Array(readFileSync(join(directory, name)));
    files.set(`/${name}`, { bytes, type, immutable: name.startsWith("assets/") });
  }
  const shell = files.get("/index.html");
  if (shell === undefined) {
    throw failed("page.missing", "the dashboard is not built: run `npm run pages` in the repository");
  }
  return { shell, files };
}
