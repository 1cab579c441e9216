import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { normalize } from "../call.ts";
import type { Decision, EvaluationContext } from "../decision.ts";
import type { Json, JsonObject } from "../value/json.ts";
import { checkPolicies } from "./check.ts";
import { compilePolicies } from "./compile.ts";
import { type NaiveChangingRule, naiveOutcome } from "./testing/naive.ts";
import { treeOf } from "./testing/tree-of.ts";

const hash = { sha256: (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()) };

/** What a condition is for `n` = 5, as proposed, and for `n` = 3, as changed. */
const CONDITIONS: readonly (readonly [NaiveChangingRule["condition"], NaiveChangingRule["condition"], string])[] = [
  ["true", "true", "args.n > 0"],
  ["true", "false", "args.n == 5"],
  ["true", "error", "10 / (args.n - 3) > 0"],
  ["false", "true", "args.n == 3"],
  ["false", "false", "args.n > 9"],
  ["false", "error", "10 / (args.n - 3) > 100"],
  ["error", "true", "10 / (args.n - 5) < 0"],
  ["error", "false", "10 / (args.n - 5) > 0"],
  ["error", "error", "10 / (args.n - args.n) > 0"],
];

type Kind = Omit<NaiveChangingRule, "id"> & { readonly when: string };

const KINDS: readonly Kind[] = CONDITIONS.flatMap(([condition, after, when]) => {
  const at = { condition, after, when };
  const rules: Kind[] = [{ ...at, verdict: "deny", otherwise: null, approval: false, changes: false }];
  for (const changes of [false, true]) {
    rules.push({ ...at, verdict: "pause", otherwise: null, approval: false, changes });
    for (const otherwise of [null, "pause", "deny"] as const) {
      for (const approval of [false, true]) rules.push({ ...at, verdict: "allow", otherwise, approval, changes });
    }
  }
  return rules;
});

/** Everybody has every kind of rule twice; a call is judged by those whose role it has. */
const SETS = ["a", "b"] as const;
const idOf = (set: string, kind: number) => `${set}${String(kind).padStart(3, "0")}`;

const TOOLS = {
  plain: { bound: true, fits: true, fitsAfter: true },
  strict: { bound: true, fits: false, fitsAfter: true },
  floored: { bound: true, fits: true, fitsAfter: false },
  bound: { bound: true, fits: true, fitsAfter: true },
  unbound: { bound: false, fits: true, fitsAfter: true },
} as const;

function schema(bounds: JsonObject): Json {
  const properties = { n: { type: "integer", ...bounds }, who: { type: "string" } };
  return { type: "object", properties, required: ["n"] };
}

function policies(unmatched: "allow" | "deny") {
  const rules = SETS.flatMap((set) =>
    KINDS.map(({ verdict, otherwise, approval, changes, when }, kind) => ({
      id: idOf(set, kind),
      kind: "write",
      principal: `role:${idOf(set, kind)}`,
      when,
      then: verdict,
      ...(otherwise === null ? {} : { else: otherwise }),
      ...(approval ? { approval: {} } : {}),
      ...(changes ? { change: { clamp: "args.n", max: 3 } } : {}),
    })),
  );
  const source = {
    saferun: "policy/v1",
    environments: { prod: { unmatched }, watched: { unmatched, mode: "observe" } },
    context: { who: "string", other: "string" },
    tools: {
      plain: { kind: "write", schema: schema({}) },
      strict: { kind: "write", schema: schema({ maximum: 4 }) },
      floored: { kind: "write", schema: schema({ minimum: 4 }) },
      bound: { kind: "write", schema: schema({}), bind: { who: "context.who" } },
      unbound: { kind: "write", schema: schema({}), bind: { who: "context.other" } },
    },
    rules,
  };
  const checked = checkPolicies([treeOf("p", source)]);
  if (!checked.ok) throw new Error(checked.issues.map((issue) => issue.message).join("\n"));
  return compilePolicies(checked.model, hash);
}

const SET = { allow: policies("allow"), deny: policies("deny") };

const CALLS = new Map(
  ["prod", "watched"].flatMap((environment) =>
    Object.keys(TOOLS).map((tool) => {
      const call = normalize({ tool, args: { n: 5, who: "the model" }, agent: "a", environment }, hash);
      if (!call.ok) throw new Error(call.malformed.message);
      return [`${environment} ${tool}`, call.call] as const;
    }),
  ),
);

function decide(unmatched: "allow" | "deny", tool: string, roles: readonly string[], environment = "prod"): Decision {
  const context: EvaluationContext = {
    agent: "a",
    environment,
    principal: { id: "", kind: "none", roles, labels: {} },
    context: { who: "the host" },
    run: { id: "r", prompted: false, untrusted: false, turn: 0 },
    call: { id: "c", depth: 0, attempt: 1 },
    now: 0,
  };
  const call = CALLS.get(`${environment} ${tool}`);
  if (call === undefined) throw new Error(tool);
  return SET[unmatched].evaluate(call, context);
}

/** Kinds → the rules of a set, with the roles that bring them in. */
function chosen(kinds: readonly number[]) {
  const roles = kinds.map((kind, index) => idOf(SETS[index] ?? "", kind));
  const rules = kinds.flatMap((kind, index) => {
    const one = KINDS[kind];
    return one === undefined ? [] : [{ ...one, id: roles[index] ?? "" }];
  });
  return { roles, rules };
}

const everyKind = KINDS.map((_, index) => index);
const pairs = everyKind.flatMap((a) => everyKind.map((b) => [a, b]));
const STRICTNESS = { allow: 0, pause: 1, deny: 2 };

describe("the order of work: bind, schema, rules, changes, rules again, schema again", () => {
  it("[P7~] [P8~] [P5~] agrees with the naive evaluator on every set of up to two rules, for every tool (traps 11, 12)", () => {
    let cases = 0;
    const seen = new Set<string>();
    for (const unmatched of ["allow", "deny"] as const) {
      for (const [tool, known] of Object.entries(TOOLS)) {
        const sets =
          tool === "plain" ? [[], ...everyKind.map((kind) => [kind]), ...pairs] : everyKind.map((kind) => [kind]);
        for (const kinds of sets) {
          const { roles, rules } = chosen(kinds);
          const decision = decide(unmatched, tool, roles);
          const naive = naiveOutcome(rules, known, unmatched, "prod");
          cases++;
          seen.add(`${naive.verdict} ${naive.changed}`);
          const by = decision.by.map((id) => id.replace(/^schema:.*|^bind:.*/, (all) => all.split(":")[0] ?? ""));
          const clamped = decision.changed?.paths.includes("n") === true;
          if (decision.verdict !== naive.verdict || by.join() !== naive.by.join() || clamped !== naive.changed) {
            expect({ tool, unmatched, rules, verdict: decision.verdict, by, changed: clamped }).toEqual({
              tool,
              unmatched,
              rules,
              ...naive,
            });
          }
        }
      }
    }
    expect(cases).toBe(2 * (1 + KINDS.length + KINDS.length ** 2 + 4 * KINDS.length));
    expect([...seen].sort()).toEqual(["allow false", "allow true", "deny false", "pause false", "pause true"]);
  });

  it("[P7~] a change never loosens: the same rules without their changes say the same or less strict", () => {
    // Each kind that changes stands seven places behind the one that does not.
    const still = (kind: number) => (KINDS[kind]?.changes ? kind - 7 : kind);
    for (const kinds of pairs) {
      const changed = chosen(kinds);
      if (!changed.rules.some((rule) => rule.changes)) continue;
      const unchanged = chosen(kinds.map(still));
      expect(unchanged.rules.map(({ when, verdict }) => [when, verdict])).toEqual(
        changed.rules.map(({ when, verdict }) => [when, verdict]),
      );
      for (const unmatched of ["allow", "deny"] as const) {
        const after = decide(unmatched, "plain", changed.roles).verdict;
        const before = decide(unmatched, "plain", unchanged.roles).verdict;
        if (STRICTNESS[after] < STRICTNESS[before])
          expect({ kinds, unmatched, after }).toEqual({ kinds, unmatched, before });
      }
    }
  });

  it("[P8~] what the host binds stands in everything that may run, whatever the model wrote and whatever the rules say", () => {
    let ran = 0;
    for (const kind of everyKind) {
      for (const environment of ["prod", "watched"]) {
        const decision = decide("allow", "bound", [idOf("a", kind)], environment);
        if (decision.verdict === "deny") expect(decision.changed).toBeUndefined();
        else {
          ran++;
          expect(decision.changed?.args.who).toBe("the host");
          expect(decision.changed?.paths).toContain("who");
        }
      }
    }
    expect(ran).toBeGreaterThan(100);
  });

  it("[P12~] an observed environment binds and validates, but changes nothing: what would be changed is only recorded", () => {
    for (const kind of everyKind) {
      const roles = [idOf("a", kind)];
      const enforced = decide("deny", "plain", roles);
      const observed = decide("deny", "plain", roles, "watched");
      expect(observed.verdict).toBe("allow");
      expect(observed.changed).toBeUndefined();
      const { verdict, by, changed } = enforced;
      expect(observed.would).toEqual({
        verdict,
        by: by.map((id) => id.replace(":prod", ":watched")),
        ...(changed === undefined ? {} : { changed }),
      });
      expect(decide("deny", "strict", roles, "watched")).toMatchObject({ verdict: "deny", by: ["schema:strict"] });
      expect(decide("deny", "unbound", roles, "watched")).toMatchObject({ verdict: "deny", by: ["bind:unbound.who"] });
    }
  });

  it("says of each rule what it was on the changed arguments, where that differs", () => {
    const kind = KINDS.findIndex(
      (one) => one.verdict === "allow" && one.changes && one.condition === "true" && one.after === "false",
    );
    const decision = decide("deny", "plain", [idOf("a", kind)]);
    expect(decision).toMatchObject({ verdict: "deny", by: ["unmatched:prod"] });
    expect(decision.rules).toMatchObject([{ rule: idOf("a", kind), matched: "true", again: "false" }]);
  });
});
