#!/usr/bin/env node
// From a published package the built command runs; from a checkout the sources do, under the `source` condition.
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";

const built = new URL("../dist/main.js", import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  registerHooks({
    resolve: (specifier, context, next) => next(specifier, { ...context, conditions: [...context.conditions, "source"] }),
  });
  await import(new URL("../src/main.ts", import.meta.url).href);
}
