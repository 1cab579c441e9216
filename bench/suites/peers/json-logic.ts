import { LogicEngine } from "json-logic-engine";
import type { BenchRule } from "../workload.ts";
import { combined, type Peer, SAME_WORDS } from "./peer.ts";

const shared = { says: SAME_WORDS, batch: 10_000 };

/** `build` writes JavaScript and compiles it: what a gate that reads foreign policies must not do. */
export const jsonLogicBuilt: Peer = {
  ...shared,
  name: "json-logic-engine, compiled",
  note: "generates JavaScript",
  prepare: async (rules, calls) => {
    const engine = new LogicEngine();
    return combined(
      rules,
      calls,
      (rule) => {
        const built = engine.build(logicOf(rule));
        return (args) => built(args);
      },
      ({ args }) => args,
    );
  },
};

export const jsonLogicInterpreted: Peer = {
  ...shared,
  name: "json-logic-engine, interpreted",
  note: "its own optimizer on",
  prepare: async (rules, calls) => {
    const engine = new LogicEngine();
    return combined(
      rules,
      calls,
      (rule) => {
        const logic = logicOf(rule);
        return (args) => engine.run(logic, args);
      },
      ({ args }) => args,
    );
  },
};

function logicOf({ of, tests }: BenchRule) {
  const each = tests.map(({ path, is, value }) => ({ [is === "==" ? "===" : is]: [{ var: path }, value] }));
  return { [of === "all" ? "and" : "or"]: each };
}
