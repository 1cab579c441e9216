/** Prints the modules that the verifier's own entry loads, one a line. */
import { registerHooks } from "node:module";

const loaded: string[] = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
await import("@saferun/core/verifier");
process.stdout.write(loaded.join("\n"));
