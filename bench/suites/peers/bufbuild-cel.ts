import { celEnv, parse, plan } from "@bufbuild/cel";
import { asCel } from "../workload.ts";
import { combined, type Peer, SAME_WORDS } from "./peer.ts";

export const bufbuildCel: Peer = {
  name: "@bufbuild/cel",
  note: "planned before",
  says: SAME_WORDS,
  batch: 2_000,
  prepare: async (rules, calls) => {
    const environment = celEnv();
    return combined(
      rules,
      calls,
      (rule) => plan(environment, parse(asCel(rule))),
      ({ args: { amount, currency, customer } }) => ({
        args: new Map<string, bigint | string | Map<string, string>>([
          ["amount", BigInt(amount)],
          ["currency", currency],
          ["customer", new Map(Object.entries(customer))],
        ]),
      }),
    );
  },
};
