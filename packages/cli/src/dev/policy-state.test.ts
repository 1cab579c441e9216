import { encodePart } from "@saferun/core";
import { createMemoryStore, nodeRandom } from "@saferun/store";
import { expect, it } from "vitest";
import { policyState } from "./policy-state.ts";

it("tells the last change of the policies, and why it was rejected, from what came since the last look [P9~]", async () => {
  const store = createMemoryStore();
  const write = (type: "policy.activated" | "policy.rejected" | "run.started", revision: string, message?: string) => {
    const issues = {
      name: "issues",
      salt: nodeRandom.bytes(32),
      bytes: encodePart({ code: "policy.invalid", message }),
    };
    return store.commit({ entries: [{ type, revision, ...(message === undefined ? {} : { parts: [issues] }) }] });
  };
  const state = policyState(store);
  expect(await state()).toBeNull();
  await write("policy.activated", "aa");
  for (let index = 0; index < 1_500; index++) await write("run.started", "aa");
  expect(await state()).toMatchObject({ state: "active", revision: "aa" });
  expect(await policyState(store)()).toMatchObject({ state: "active", revision: "aa" });
  await write("policy.rejected", "aa", "a.yaml:7:3: unknown key `tol`");
  await write("run.started", "aa");
  const rejected = {
    state: "rejected",
    revision: "aa",
    issues: { code: "policy.invalid", message: "a.yaml:7:3: unknown key `tol`" },
  };
  expect(await state()).toMatchObject(rejected);
  expect(await state()).toMatchObject(rejected);
  await write("policy.activated", "bb");
  expect(await state()).toMatchObject({ state: "active", revision: "bb" });
});
