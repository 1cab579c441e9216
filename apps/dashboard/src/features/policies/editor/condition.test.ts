import { conditionWords } from "@saferun/core";
import { policySchema } from "@saferun/document";
import { describe, expect, it } from "vitest";
import { isCondition } from "./completion.ts";
import { conditionOptions } from "./condition.ts";
import { placeAt } from "./place.ts";

const language = conditionWords();
const words = {
  ...language,
  variables: {
    ...language.variables,
    limit: { kind: "int" as const },
    context: { kind: "object" as const, fields: { tenant: { kind: "string" as const } }, open: false },
  },
  definitions: ["isVip"],
  args: {
    "stripe.refund": {
      type: "object",
      properties: {
        amount: { type: "integer", description: "cents" },
        reason: { type: "string", enum: ["duplicate", "requested_by_customer"] },
        to: { type: "object", properties: { iban: { type: "string" } } },
        items: { type: "array", items: { type: "object", properties: { sku: { type: "string" } } } },
      },
    },
    "mail.send": { type: "object", properties: { subject: { type: "string" } } },
  },
};
const RULE = "rules:\n  - { id: a, tool: stripe.refund, when: ";
const BLOCK = "rules:\n  - id: a\n    tool: mail.send\n    then: allow\n  - id: b\n    tool: stripe.refund\n    when: ";

function options(text: string) {
  return conditionOptions(words, text, placeAt(text).path);
}
const labels = (text: string): string[] => options(text).map(({ label }) => label);

describe("a condition", () => {
  it("is known by the format's schema, wherever the format takes one", () => {
    const schema = policySchema();
    const at = (text: string) => isCondition(schema, placeAt(text).path);
    expect(at(RULE)).toBe(true);
    expect(at(BLOCK)).toBe(true);
    expect(at("rules:\n  - id: a\n    when: >-\n      args.amount > 5 &&\n      ")).toBe(true);
    expect(at("tools:\n  refund:\n    bind: { tenant: ")).toBe(true);
    expect(at("define:\n  isVip: ")).toBe(true);
    expect(at("budgets:\n  - { id: b, sum: ")).toBe(true);
    expect(at("rules:\n  - { id: a, reason: ")).toBe(false);
  });
});

describe("completion in a condition", () => {
  it("offers the variables, with those of `let`, `define` and `context`, and the functions", () => {
    expect(labels(RULE)).toEqual(
      expect.arrayContaining(
        ["args", "principal", "now", "limit", "isVip", "domain", "host", "has", "money"].filter(
          (word) => word !== "money",
        ),
      ),
    );
    expect(labels(`${RULE}args.amount > 5 && do`)).toContain("domain");
    expect(labels(RULE)).not.toContain("startsWith");
    expect(options(RULE).find(({ label }) => label === "domain")?.info).toContain("mail address");
  });

  it("offers the arguments of the tool that the rule is about, and no other's", () => {
    for (const text of [`${RULE}args.`, `${BLOCK}args.`, `${BLOCK}args.amount > 5 && args.`]) {
      expect(labels(text)).toEqual(["amount", "reason", "to", "items"]);
    }
    expect(labels(`${RULE}args.to.`)).toEqual(["iban"]);
    expect(labels(`${RULE}args.items[0].`)).toEqual(["sku"]);
    expect(labels("rules:\n  - id: a\n    when: args.")).toEqual(["amount", "reason", "to", "items", "subject"]);
    expect(labels("rules:\n  - { id: a, tool: [mail.send, other], when: args.")).toEqual(["subject"]);
  });

  it("offers the values of an enumeration, in the quotes that fit", () => {
    const applied = (text: string) => options(text).map(({ apply }) => apply);
    expect(applied(`${RULE}args.reason == `)).toEqual(['"duplicate"', '"requested_by_customer"']);
    expect(applied(`${RULE}args.reason == "du`)).toEqual(["duplicate", "requested_by_customer"]);
    expect(applied(`${RULE}"args.reason == `)).toEqual(["'duplicate'", "'requested_by_customer'"]);
    expect(applied(`${BLOCK}args.reason in ["duplicate", "`)).toEqual(["duplicate", "requested_by_customer"]);
  });

  it("offers the fields of the gate's own variables, and what can be done with a text or a list", () => {
    expect(labels(`${RULE}principal.`)).toEqual(["id", "kind", "roles", "labels"]);
    expect(labels(`${RULE}context.`)).toEqual(["tenant"]);
    expect(labels(`${RULE}run.`)).toEqual(expect.arrayContaining(["id", "turn", "calls", "attempts"]));
    expect(labels(`${RULE}args.reason.`)).toContain("startsWith");
    expect(labels(`${RULE}args.reason.`)).not.toContain("exists");
    expect(labels(`${RULE}args.items.`)).toEqual(expect.arrayContaining(["all", "exists", "size"]));
    expect(labels(`${RULE}args.items.`)).not.toContain("startsWith");
  });

  it("offers units where one is meant, beside what may give one", () => {
    for (const text of ["tools:\n  refund:\n    units: { amount: ", "budgets:\n  - { id: b, tool: refund, unit: "]) {
      expect(labels(text)).toEqual(expect.arrayContaining(["usd_cents", "emails", "args"]));
    }
    expect(labels(RULE)).not.toContain("usd_cents");
  });

  it("offers nothing inside a text, and no argument where the host binds them", () => {
    expect(labels(`${RULE}args.to.iban == "CH`)).toEqual([]);
    expect(labels("tools:\n  refund:\n    bind: { tenant: ")).not.toContain("args");
  });
});
