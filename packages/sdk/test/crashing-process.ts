/** Makes one paused call and ends itself at a point: `node crashing-process.ts DIRECTORY SCENARIO POINT`. */
import { join } from "node:path";
import type { Store, Transaction } from "@saferun/core";
import { openSqliteStore } from "@saferun/store";
import { callOnce, type Scenario } from "./approval-world.ts";

const [directory = "", scenario = "", point = ""] = process.argv.slice(2);

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

const inner = openSqliteStore({ directory: join(directory, "store") });
let commits = 0;
const store: Store = new Proxy(inner, {
  get(target, name) {
    const value: unknown = Reflect.get(target, name);
    if (name !== "commit") return typeof value === "function" ? value.bind(target) : value;
    return async (transaction: Transaction) => {
      const number = ++commits;
      if (point === `before commit ${number}`) die();
      const result = await inner.commit(transaction);
      if (point === `after commit ${number}`) die();
      return result;
    };
  },
});
const at = (name: string) => () => {
  if (point === name) die();
};
await callOnce(directory, store, scenario as Scenario, {
  before: at("before the effect"),
  after: at("after the effect"),
});
await inner.close();
