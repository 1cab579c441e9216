/**
 * Makes one call that waits: `node killed-process.ts DIRECTORY HOW`. `killed`: it ends itself once that is recorded; `ended`:
 * it denies the call once people were asked, and comes to its natural end.
 */
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Store, Transaction } from "@saferun/core";
import { saferun } from "@saferun/sdk";
import { openSqliteStore } from "@saferun/store";

const [directory = "", how = ""] = process.argv.slice(2);
const inner = openSqliteStore({ directory: join(directory, "store") });
const store: Store = new Proxy(inner, {
  get(target, name) {
    const value: unknown = Reflect.get(target, name);
    if (name !== "commit") return typeof value === "function" ? value.bind(target) : value;
    return async (transaction: Transaction) => {
      const result = await inner.commit(transaction);
      if (how === "killed" && transaction.rows?.some(({ row }) => row.kind === "outbox"))
        process.kill(process.pid, "SIGKILL");
      return result;
    };
  },
});
const refund = saferun.wrap(
  async function refund(_args: { amount: number }) {
    throw new Error("it must not run");
  },
  {
    policies: [join(directory, "policies.yaml")],
    store,
    environment: "prod",
    async onPause(call) {
      const sent = async () => JSON.stringify(await inner.rows({ kind: "outbox", limit: 1 })).includes('"sent"');
      while (!(await sent())) await setTimeout(20);
      await call.deny();
    },
  },
);
await refund({ amount: 450 });
