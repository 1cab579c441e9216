/**
 * Makes paused calls, each of a run of its own, brings every one of them to a point, and ends itself there:
 * `node crashing-process.ts DIRECTORY SCENARIO POINT CALLS`.
 */
import type { Store, Transaction } from "@saferun/core";
import { openSqliteStore } from "@saferun/store";
import { callOnce, type Scenario, storeIn } from "./approval-world.ts";

const [directory = "", scenario = "", point = "", calls = ""] = process.argv.slice(2);

let there = 0;

/** No call goes on from the point: the last to come there ends the process, with all that the others hold open. */
function at(name: string): Promise<void> {
  if (name !== point) return Promise.resolve();
  if (++there === Number(calls)) process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}

const inner = openSqliteStore({ directory: storeIn(directory) });

/** The store as one call sees it, whose commits are counted. */
function counted(): Store {
  let commits = 0;
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== "commit") return typeof value === "function" ? value.bind(target) : value;
      return async (transaction: Transaction) => {
        const number = ++commits;
        await at(`before commit ${number}`);
        const result = await inner.commit(transaction);
        await at(`after commit ${number}`);
        return result;
      };
    },
  });
}

const effects = { before: () => at("before the effect"), after: () => at("after the effect") };
await Promise.all(
  Array.from({ length: Number(calls) }, (_, call) =>
    callOnce(directory, counted(), scenario as Scenario, call, effects),
  ),
);
await inner.close();
