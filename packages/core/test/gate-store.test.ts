/** A store that does not answer, or refuses to: whatever a call would do outside, reading included, it does not start. */
import { type CallKind, type PolicySet, SafeRunError, type Store, WITHOUT_LIMITS } from "@saferun/core";
import { createMemoryStore } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { decision, type World, world } from "./world.ts";

const KINDS: readonly CallKind[] = ["read", "none", "write", "destructive"];
const FAULTS = ["fails", "never answers"] as const;

/** `switched.on` breaks what is named; without a name, everything that the store is asked. */
function breakable(store: Store, fault: (typeof FAULTS)[number], only: string | undefined, switched: { on: boolean }) {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (!switched.on || (only !== undefined && name !== only)) return value.apply(target, args);
        if (fault === "never answers") return new Promise(() => undefined);
        return Promise.reject(new SafeRunError("record.unavailable", "the disk is gone"));
      };
    },
  });
}

function given(kind: CallKind, store: Store): World {
  const judge = () => decision("allow");
  const policies: PolicySet = {
    revision: "r1",
    evaluate: judge,
    explain: judge,
    kind: () => kind,
    declares: () => true,
    boundPaths: () => [],
    bound: (_tool, args) => args,
    ...WITHOUT_LIMITS,
    traits: () => ({ kind }),
  };
  return world({ store, policies: () => policies });
}

const ROWS = KINDS.flatMap((kind) =>
  FAULTS.flatMap((fault) => ["commit", "everything"].map((what) => [kind, what, fault] as const)),
);

describe("a store that is broken while a run is under way [L1~] [B6~]", () => {
  it.each(ROWS)("a call of kind %s starts only before %s %s", async (kind, what, fault) => {
    const switched = { on: false };
    const inner = createMemoryStore();
    const store = breakable(inner, fault, what === "everything" ? undefined : what, switched);
    const w = given(kind, store);
    expect((await w.call({ n: 1 })).status).toBe("ran");
    switched.on = true;
    const refused = w.call({ n: 2 }, { key: "k" });
    if (fault === "fails") {
      expect(await refused).toMatchObject({ status: "denied", denial: { rules: ["record.unavailable"] } });
    }
    for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(w.ran).toEqual([{ n: 1 }]);
    // It was the store: with it, calls run again, and the one that hangs still does not.
    switched.on = false;
    expect((await w.call({ n: 3 })).status).toBe("ran");
    expect(w.ran).toEqual([{ n: 1 }, { n: 3 }]);
  });
});
