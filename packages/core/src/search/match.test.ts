import { describe, expect, it } from "vitest";
import type { EntryDraft, StoredEntry } from "../log/entry.ts";
import { encodePart } from "../log/part.ts";
import { canonicalJson } from "../value/json.ts";
import type { SearchScope } from "./content.ts";
import { itemsOf, matches } from "./match.ts";
import { parseQuery } from "./parse.ts";

const NOW = 1_000_000;

/** Entries as a store gives them; chains and commitments do not matter to a search. */
function logOf(drafts: readonly (Omit<EntryDraft, "parts"> & { content?: Record<string, unknown> })[]): StoredEntry[] {
  return drafts.map(({ content = {}, run, ...draft }, seq) => {
    const parts = Object.entries(content).map(([name, value]) => ({
      name,
      salt: new Uint8Array(32),
      bytes: encodePart(value),
    }));
    const header = {
      v: 1,
      log: "l",
      writer: { id: "w", n: 0, prev: null },
      ...(run === undefined ? {} : { run: { id: run, n: 0, prev: null } }),
      time: seq * 1_000,
      ...draft,
      parts: Object.fromEntries(parts.map(({ name }) => [name, "00"])),
    };
    return { seq, header: new TextEncoder().encode(canonicalJson(header)), leaf: new Uint8Array(32), parts };
  });
}

const LOG = logOf([
  { type: "run.started", run: "run_1", agent: "support" },
  {
    type: "call.proposed",
    run: "run_1",
    call: "c1",
    tool: "stripe.refund",
    content: {
      arguments: { amount: 90_000, to: { mail: "ann@acme.com" }, lines: [{ sku: "A-1", n: 2 }], ssn: "secret 7788" },
    },
  },
  { type: "call.proposed", run: "run_1", call: "c2", content: { tool: "made up!", arguments: { amount: "90000" } } },
  {
    type: "call.decided",
    run: "run_1",
    call: "c1",
    verdict: "deny",
    rules: ["big", "duplicates"],
    content: {
      decision: {
        decision: { reason: "A duplicate Charge, again", changed: { args: { ssn: "secret 7788", amount: 5 } } },
      },
    },
  },
  { type: "call.decided", run: "run_1", call: "c2", verdict: "allow" },
  {
    type: "call.finished",
    run: "run_1",
    call: "c2",
    outcome: "failed",
    content: { error: { message: "card_declined: Straße №5" } },
  },
  {
    type: "model.responded",
    run: "run_2",
    step: 4,
    content: { "message/0": "charge the duplicate", "message/1": { encoding: "erased" } },
  },
]);

function found(query: string, scope: SearchScope = { off: [] }): number[] {
  const parsed = parseQuery(query, NOW);
  return itemsOf(LOG).flatMap((item) => (matches(parsed, item, scope) ? [item.seq] : []));
}

describe("matches", () => {
  it("[L4~] finds a call by what its entries say together", () => {
    expect(itemsOf(LOG).map((item) => item.entries.map(({ seq }) => seq))).toEqual([[0], [1, 3], [2, 4, 5], [6]]);
    expect(found('tool:stripe.* verdict:deny args.amount>50000 "duplicate charge" run:run_1')).toEqual([1]);
  });

  it.each([
    ["", [0, 1, 2, 6]],
    ["duplicate charge", [1, 6]],
    ['"duplicate charge"', [1]],
    ["dupl*", [1, 6]],
    ["declined", [2]],
    ["card_declined", [2]],
    ["STRASSE", []],
    ["straße no5", [2]],
    ["tool:made*", [2]],
    ['tool:"made up!"', [2]],
    ["rule:duplicates", [1]],
    ["-verdict:allow type:call.proposed", [1]],
    ["verdict:allow OR verdict:deny", [1, 2]],
    ["-(verdict:allow OR verdict:deny)", [0, 6]],
    ["outcome:failed", [2]],
    ["type:call.*", [1, 2]],
    ["part:message", [6]],
    ["step>3", [6]],
    ["entry:5", [2]],
    ["entry<2", [0, 1]],
    ["until:1970-01-01T00:00:02Z", [0, 1]],
    ["since:1970-01-01T00:00:02Z", [2, 6]],
    ["args.amount:90000", [1, 2]],
    ['args.amount:"90000"', [2]],
    ["args.amount=90000 args.amount<10", [1]],
    ["args.to.mail:*@acme.com", [1]],
    ["args.lines[].sku:A-1", [1]],
    ["args.lines.sku:A-1", []],
    ["args.to:*", []],
    ["agent:support", [0]],
    ["writer:w run:run_*", [0, 1, 2, 6]],
  ])("%s", (query, items) => {
    expect(found(query)).toEqual(items);
  });

  it("what is turned off is not found, neither as proposed nor as changed", () => {
    const scope = { off: [["ssn"]] };
    expect(found("7788")).toEqual([1]);
    expect(found("7788", scope)).toEqual([]);
    expect(found("args.ssn:*")).toEqual([1]);
    expect(found("args.ssn:*", scope)).toEqual([]);
    expect(found("90000 duplicate", scope)).toEqual([1]);
  });

  it("an entry that was damaged or erased harms no other", () => {
    const [first, second, ...rest] = LOG;
    if (first === undefined || second === undefined) throw new Error("no entries");
    const broken = { ...first, header: new Uint8Array([1, 2]) };
    const erased = { ...second, parts: second.parts.map(({ name }) => ({ name, salt: null, bytes: null })) };
    const items = itemsOf([broken, erased, ...rest]);
    expect(items.map((item) => matches(parseQuery("entry:0", NOW), item, { off: [] }))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(items.map((item) => matches(parseQuery("verdict:deny -args.amount:90000", NOW), item, { off: [] }))).toEqual(
      [false, true, false, false],
    );
  });
});
