import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { storeContract } from "../contract.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const base = mkdtempSync(join(tmpdir(), "saferun-store-"));
let count = 0;
afterAll(() => rmSync(base, { recursive: true, force: true }));

storeContract("sqlite", (clock) => {
  const directory = join(base, String(count++));
  return {
    store: openSqliteStore({ directory, clock }),
    again: () => openSqliteStore({ directory, clock }),
  };
});
