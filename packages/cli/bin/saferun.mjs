#!/usr/bin/env node
// From a published package the built command runs; from a checkout the sources do, under a condition of our own.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const built = new URL("../dist/main.js", import.meta.url);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`saferun: needs Node 22.18 or newer, this is ${process.versions.node}`);
  process.exitCode = 3;
} else if (existsSync(built)) {
  await import(built.href);
} else {
  nodeModule.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, "@saferun/source"] }),
  });
  await import(new URL("../src/main.ts", import.meta.url).href);
}
