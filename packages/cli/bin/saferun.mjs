#!/usr/bin/env node
// From a published package the built command runs; from a checkout the sources do, under a condition of our own.
import { spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync } from "node:fs";
import * as nodeModule from "node:module";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const built = new URL("../dist/main.js", import.meta.url);
if (major < 22 || (major === 22 && minor < 18)) {
  // The setup of a checkout has installed one beside these sources.
  const newer = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url));
  if (existsSync(newer)) runWith(newer);
  else {
    console.error(
      `saferun: needs Node 22.18 or newer, this is ${process.versions.node}: install one, then run this again`,
    );
    process.exitCode = 3;
  }
} else {
  keepCompiled();
  if (existsSync(built)) {
    await import(built.href);
  } else {
    nodeModule.registerHooks({
      resolve: (specifier, context, next) =>
        next(specifier, { ...context, conditions: [...context.conditions, "@saferun/source"] }),
    });
    await import(new URL("../src/main.ts", import.meta.url).href);
  }
}

/** The same command line under another Node: with its exit code, and with the signals that it is sent. @param {string} node */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl+C to both: once is enough.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  child.on("error", (error) => console.error(`saferun: ${error.message}`));
  child.on("close", (code) => {
    process.exitCode = code ?? 3;
  });
}

/**
 * More than half of a short command's time is compiling it, so that Node keeps the compiled form. That is code: it lies where
 * only this account writes, never in the shared directory that is Node's default. `NODE_DISABLE_COMPILE_CACHE=1` turns it off.
 */
function keepCompiled() {
  if (process.env.NODE_COMPILE_CACHE !== undefined || process.getuid === undefined) return;
  const { XDG_CACHE_HOME: given } = process.env;
  try {
    const cache = given && isAbsolute(given) ? given : join(homedir(), ".cache");
    // A relative one would be the project's, which may bring what it likes.
    if (!isAbsolute(cache)) return;
    const [own, directory] = [join(cache, "saferun"), join(cache, "saferun", "compiled")];
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Whoever may write to one above it may put another in its place.
    if ([cache, own, directory].every(isPrivate)) nodeModule.enableCompileCache(directory);
  } catch {
    // Without a place to keep it, it is compiled each time.
  }
}

function isPrivate(directory) {
  const found = lstatSync(directory);
  return found.isDirectory() && found.uid === process.getuid() && (found.mode & 0o022) === 0;
}
