import { describe, expect, it } from "vitest";
import type { ApprovalTerms } from "../decision.ts";
import { type ApprovalEvent, type ApprovalRecord, type ApprovalStep, stepApproval, versionOf } from "./approval.ts";
import { type Approver, missingOf, type Question, refusalOf, samePerson } from "./quorum.ts";

const terms = (change: Partial<ApprovalTerms>): ApprovalTerms => ({
  route: "default",
  to: [],
  roles: ["approver"],
  need: 1,
  withinMs: 1_000,
  show: [],
  editable: [],
  ...change,
});
const person = (id: string, ...roles: string[]): Approver => ({ id, via: "cli", verified: true, roles });

const FINANCE = terms({ route: "finance", roles: ["finance"], need: 2, not: ["requester"] });
const LEGAL = terms({ route: "legal", roles: ["legal"] });
const PEOPLE = [
  person("ann", "finance"),
  person("bob", "finance", "legal"),
  person("cy", "legal"),
  person("dan", "finance"),
  person("eve"),
] as const;
const OWNER = "local:dan";

const question = (change: Partial<Question> = {}): Question => ({
  reasons: [FINANCE, LEGAL].map((approval, index) => ({ id: `r${index}`, digest: "d", reason: "", approval })),
  requesters: [OWNER],
  votes: [],
  edit: null,
  ...change,
});
const yes = (...by: readonly Approver[]) => by.map((one) => ({ by: one, at: 0, note: null }));

describe("who may answer, and when enough people have", () => {
  const [ann, bob, cy, dan, eve] = PEOPLE;

  it("needs a role of a route, and is refused in words for that person (trap 16)", () => {
    expect(refusalOf(question(), ann)).toBeUndefined();
    expect(refusalOf(question(), cy)).toBeUndefined();
    expect(refusalOf(question(), eve)).toBe("this asks for the role `finance` or `legal`");
    expect(refusalOf(question(), { id: "x", via: "cli", verified: false })).toContain("role `finance`");
  });

  it("keeps whoever the call is for away, by principal and however the name is written", () => {
    expect(refusalOf(question(), dan)).toBe("whoever the call is for, or owns the agent, may not answer it");
    expect(refusalOf(question(), { ...dan, id: "local:Dan" })).toContain("may not answer");
    // A route that does not exclude them takes them.
    expect(refusalOf(question(), person("dan", "legal"))).toBeUndefined();
  });

  it("counts distinct people for every route", () => {
    const people = (votes: Question["votes"]) =>
      missingOf(question({ votes })).map(({ route, people: more }) => `${route} ${more}`);
    expect(people([])).toEqual(["finance 2", "legal 1"]);
    expect(people(yes(ann))).toEqual(["finance 1", "legal 1"]);
    expect(people(yes(ann, ann, person("local:ANN", "finance")))).toEqual(["finance 1", "legal 1"]);
    expect(people(yes(ann, bob))).toEqual([]);
    expect(people(yes(ann, dan, cy))).toEqual(["finance 1"]);
  });

  it("does not count an editor on their own version where more than one is needed", () => {
    const edit = { by: bob, digest: "d2", bytes: "{}" };
    expect(missingOf(question({ votes: yes(ann, bob), edit })).map(({ route }) => route)).toEqual(["finance"]);
  });

  it("holds spellings of one name for one person", () => {
    expect(samePerson("local:ann", "Ann")).toBe(true);
    expect(samePerson("ａｎｎ", "ann")).toBe(true);
    expect(samePerson("ann", "anna")).toBe(false);
  });
});

/*
 * Exhaustive search over five people, two routes, edits, a stop, stale cards and silence, on the real reducer. The oracle
 * beside it keeps its own book of who said yes to which version; it knows nothing of votes or counts.
 */
interface World {
  readonly approval: ApprovalRecord;
  /** Who said yes to the version as it stands, in words of the oracle. */
  readonly agreed: readonly string[];
  readonly editor: string | null;
  readonly edits: number;
  readonly stops: number;
  readonly denied: boolean;
}

type Reducer = typeof stepApproval;

const START: ApprovalRecord = {
  id: "appr",
  version: 1,
  since: 1,
  state: "pending",
  call: "call",
  run: "run",
  tool: "refund",
  agent: "bot",
  environment: "prod",
  digest: "d0",
  bytes: "{}",
  editable: ["amount"],
  escalated: 0,
  createdAt: 0,
  deadline: 1_000,
  decision: null,
  ...question(),
};

function answer(world: World, by: Approver, digest: string, verdict: "approve" | "deny"): ApprovalEvent {
  const edited = digest !== world.approval.digest;
  const decision = {
    verdict,
    by,
    at: 1,
    note: null,
    digest,
    bytes: "{}",
    edited,
    validUntil: 2_000,
    clockBehindMs: 0,
  } as const;
  return { type: "decide", version: world.approval.version, decision, now: 1 };
}

function* moves(world: World, step: Reducer): Generator<World> {
  const { approval } = world;
  const current = versionOf(approval).digest;
  const take = (event: ApprovalEvent): ApprovalRecord | undefined => {
    const done = step(approval, event);
    return done.ok ? done.approval : undefined;
  };
  for (const by of PEOPLE) {
    const same = take(answer(world, by, current, "approve"));
    if (same) yield { ...world, approval: same, agreed: [...new Set([...world.agreed, by.id])] };
    // A card from before the latest change: whatever it says, it is not about this version.
    const stale = take({ ...answer(world, by, current, "approve"), version: approval.since - 1 } as ApprovalEvent);
    if (stale) yield { ...world, approval: stale };
    const denied = take(answer(world, by, current, "deny"));
    if (denied) yield { ...world, approval: denied, denied: true };
    const edited = world.edits < 2 ? take(answer(world, by, `d${world.edits + 1}`, "approve")) : undefined;
    if (edited) yield { ...world, approval: edited, agreed: [by.id], editor: by.id, edits: world.edits + 1 };
  }
  const suspended = world.stops < 1 ? take({ type: "suspend", now: 1 }) : undefined;
  if (suspended) yield { ...world, approval: suspended, stops: 1, agreed: [], editor: null };
  const resumed = take({ type: "resume", now: 1 });
  if (resumed) yield { ...world, approval: resumed, agreed: [], editor: null };
  const expired = take({ type: "expire", now: 1_000 });
  if (expired) yield { ...world, approval: expired };
}

function violation({ approval, agreed, editor, denied }: World): string | null {
  const { state, decision, edit } = approval;
  if (state !== "approved") return null;
  if (denied) return "approved after a denial";
  const said = (people: readonly string[]) => people.filter((id) => agreed.includes(id)).length;
  if (said(["ann", "bob"].filter((id) => id !== editor)) < 2) return "finance: not two others than the editor";
  if (said(["bob", "cy"]) < 1) return "legal: nobody";
  if (decision?.digest !== (edit?.digest ?? approval.digest)) return "another version than the one agreed to";
  return null;
}

function search(step: Reducer): { states: number; approved: number; violation: string | null } {
  const seen = new Set<string>();
  let approved = 0;
  const queue: World[] = [{ approval: START, agreed: [], editor: null, edits: 0, stops: 0, denied: false }];
  for (const world of queue) {
    const { version, since, ...rest } = world.approval;
    const key = JSON.stringify([{ ...world, approval: rest, agreed: world.agreed.toSorted() }, version === since]);
    if (seen.has(key)) continue;
    seen.add(key);
    if (world.approval.state === "approved") approved++;
    const fault = violation(world);
    if (fault !== null) return { states: seen.size, approved, violation: fault };
    if (seen.size > 200_000) throw new Error("the search does not end");
    queue.push(...moves(world, step));
  }
  return { states: seen.size, approved, violation: null };
}

describe("exhaustive search over the approval reducer", () => {
  it("finds no approval without enough distinct people for every route, on the version that is approved [A10~]", () => {
    const result = search(stepApproval);
    console.log(`approval reducer: ${result.states} states, ${result.approved} of them approved`);
    expect(result.violation).toBeNull();
    expect(result.approved).toBeGreaterThan(10);
    expect(result.states).toBeGreaterThan(400);
  });

  const then = (step: ApprovalStep, change: (approval: ApprovalRecord) => ApprovalRecord): ApprovalStep =>
    step.ok ? { ok: true, approval: change(step.approval) } : step;
  let names = 0;

  const mutants: readonly (readonly [string, Reducer, RegExp])[] = [
    [
      "a card from before an edit counts",
      (approval, event) =>
        stepApproval(approval, event.type === "decide" ? { ...event, version: approval.version } : event),
      /finance|legal/,
    ],
    [
      "an edit keeps what was said before it",
      (approval, event) =>
        then(stepApproval(approval, event), (next) =>
          next.edit === approval.edit ? next : { ...next, votes: [...approval.votes, ...next.votes] },
        ),
      /finance|legal/,
    ],
    [
      "the editor counts",
      (approval, event) =>
        stepApproval(
          approval.edit === null ? approval : { ...approval, edit: { ...approval.edit, by: person("nobody") } },
          event,
        ),
      /editor/,
    ],
    [
      "one person counts twice",
      (approval, event) =>
        stepApproval(
          approval,
          event.type === "decide"
            ? { ...event, decision: { ...event.decision, by: { ...event.decision.by, id: `name${names++}` } } }
            : event,
        ),
      /finance|legal/,
    ],
    [
      "whoever the call is for counts",
      (approval, event) => stepApproval({ ...approval, requesters: [] }, event),
      /finance/,
    ],
    [
      "what was said before a stop counts after it",
      (approval, event) =>
        then(stepApproval(approval, event), (next) =>
          event.type === "suspend" || event.type === "resume" ? { ...next, votes: approval.votes } : next,
        ),
      /finance|legal/,
    ],
    [
      "one route is enough",
      (approval, event) => stepApproval({ ...approval, reasons: approval.reasons.slice(1) }, event),
      /finance/,
    ],
  ];
  it.each(mutants)("catches the shortcut: %s", (_name, step, fault) => {
    expect(search(step).violation).toMatch(fault);
  });
});
