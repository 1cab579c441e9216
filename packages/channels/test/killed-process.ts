/** Makes one call that waits, and ends itself once that is recorded: `node killed-process.ts DIRECTORY`. */
import { join } from "node:path";
import type { Store, Transaction } from "@saferun/core";
import { saferun } from "@saferun/sdk";
import { openSqliteStore } from "@saferun/store";

const [directory = ""] = process.argv.slice(2);
const inner = openSqliteStore({ directory: join(directory, "store") });
const store: Store = new Proxy(inner, {
  get(target, name) {
    const value: unknown = Reflect.get(target, name);
    if (name !== "commit") return typeof value === "function" ? value.bind(target) : value;
    return async (transaction: Transaction) => {
      const result = await inner.commit(transaction);
      if (transaction.rows?.some(({ row }) => row.kind === "outbox")) process.kill(process.pid, "SIGKILL");
      return result;
    };
  },
});
const refund = saferun.wrap(
  async function refund(_args: { amount: number }) {
    throw new Error("it must not run");
  },
  { policies: [join(directory, "policies.yaml")], store, environment: "prod" },
);
await refund({ amount: 450 });
