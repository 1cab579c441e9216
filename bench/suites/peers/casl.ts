import { AbilityBuilder, createMongoAbility, subject } from "@casl/ability";
import type { BenchRule, BenchTest } from "../workload.ts";
import type { Peer } from "./peer.ts";

/** Its own index by action and type does the choosing. The last rule that matches wins, so that what restricts comes last. */
export const casl: Peer = {
  name: "@casl/ability",
  note: "its own index; pause is cannot",
  says: { allow: "true", pause: "false", deny: "false" },
  batch: 10_000,
  prepare: async (rules, calls) => {
    const { can, cannot, build } = new AbilityBuilder(createMongoAbility);
    for (const rule of rules.filter(({ then }) => then === "allow")) {
      for (const conditions of conditionsOf(rule)) can("call", rule.tool, conditions);
    }
    for (const rule of rules.filter(({ then }) => then !== "allow")) {
      for (const conditions of conditionsOf(rule)) cannot("call", rule.tool, conditions);
    }
    const ability = build();
    const subjects = calls.map(({ tool, args }) => subject(tool, { ...args }));
    return (index) => {
      const call = subjects[index];
      return String(call === undefined ? "no call" : ability.can("call", call));
    };
  },
};

const WORDS = { ">": "$gt", "<=": "$lte", "==": "$eq", in: "$in" } as const;
type Conditions = Record<string, Record<string, BenchTest["value"]>>;

/** It has no "or" within a rule: alternatives are rules of their own. */
function conditionsOf({ of, tests }: BenchRule): Conditions[] {
  if (of === "any") return tests.map(({ path, is, value }) => ({ [path]: { [WORDS[is]]: value } }));
  const conditions: Conditions = {};
  for (const { path, is, value } of tests) conditions[path] = { ...conditions[path], [WORDS[is]]: value };
  return [conditions];
}
