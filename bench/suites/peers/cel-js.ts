import { Environment } from "@marcbachmann/cel-js";
import { asCel, type BenchCall } from "../workload.ts";
import { combined, type Peer, SAME_WORDS } from "./peer.ts";

export const celJs: Peer = {
  name: "@marcbachmann/cel-js",
  note: "parsed before",
  says: SAME_WORDS,
  batch: 10_000,
  prepare: async (rules, calls) => {
    const environment = new Environment().registerVariable("args", "dyn");
    return combined(rules, calls, (rule) => environment.parse(asCel(rule)), withBigInt);
  },
};

/** Integers are BigInt in this library. */
function withBigInt({ args: { amount, ...rest } }: BenchCall) {
  return { args: { ...rest, amount: BigInt(amount) } };
}
