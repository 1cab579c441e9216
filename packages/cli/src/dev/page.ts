/** The page's files: a shell without data, its script and its style, read once. */
import { readFileSync } from "node:fs";

export type Page = Readonly<Record<string, { readonly text: string; readonly type: string }>>;

export function readPage(): Page {
  return {
    "/": file("index.html", "text/html; charset=utf-8"),
    "/app.js": file("app.js", "text/javascript; charset=utf-8"),
    "/form.js": file("form.js", "text/javascript; charset=utf-8"),
    "/runs.js": file("runs.js", "text/javascript; charset=utf-8"),
    "/view.js": file("view.js", "text/javascript; charset=utf-8"),
    "/app.css": file("app.css", "text/css; charset=utf-8"),
  };
}

function file(name: string, type: string) {
  return { text: readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8"), type };
}
