/**
 * Every channel × every kind of bad input and vendor's fault. In each cell the effect is counted at the tool; what a cell
 * ends with is printed as a table. Where a fault cannot happen on a channel, the table says why.
 */
import { afterAll, describe, expect, it } from "vitest";
import { ARGS, type Asked, type Driver, drivers, type Unwell, useAll } from "./drivers.ts";
import * as linear from "./linear-setup.ts";
import { onPagerDuty } from "./pagerduty-faults.ts";
import { usePagerDuty } from "./pagerduty-setup.ts";
import * as slack from "./slack-setup.ts";
import { DEADLINE_MS, eventually } from "./world.ts";

useAll();
usePagerDuty();

const HOUR = 3_600_000;
/** What happened, in a few words; a cell that does not apply begins with `n/a`. */
type Cell = (driver: Driver) => Promise<string>;

async function untouched(driver: Driver, { waiting }: Asked): Promise<void> {
  expect((await waiting.now()).state).toBe("pending");
  expect(driver.world().ran).toEqual([]);
}

async function forged(driver: Driver, how: { secret?: string; shiftMs?: number }): Promise<string> {
  const asked = await driver.ask();
  const status = await asked.forge(how);
  expect(status).toBeGreaterThanOrEqual(400);
  await untouched(driver, asked);
  return `refused, ${status}`;
}

async function shifted(driver: Driver, shiftMs: number): Promise<string> {
  return driver.name === "email" ? "n/a: a form has no time; the question has a deadline" : forged(driver, { shiftMs });
}

/** An account that the configuration links and that the vendor says is no full member. */
async function unfit(driver: Driver, slackProfile: object, linearProfile: object): Promise<string> {
  if (driver.name !== "slack" && driver.name !== "linear") return "n/a: accounts are the operator's own";
  slack.desk.profiles.set(slack.desk.account("ann"), slackProfile as Record<string, boolean>);
  linear.front.faults.push(({ body }, answer) => {
    if (!body.includes("comment(id:")) return undefined;
    return answer().then(async (response) => {
      const json = (await response.json()) as { data: { comment: { user: object } } };
      Object.assign(json.data.comment.user, linearProfile);
      return Response.json(json);
    });
  });
  const asked = await driver.ask();
  await asked.answer({ verdict: "approve" });
  await untouched(driver, asked);
  return "not allowed";
}

async function typed(driver: Driver, text: string): Promise<string> {
  const asked = await driver.ask();
  await asked.answer({ typed: text });
  await untouched(driver, asked);
  return "told, pending";
}

async function unwell(driver: Driver, how: Unwell): Promise<string> {
  const before = driver.questions();
  const waiting = await driver.world().propose({ amount: 450 }, { tool: "pay" });
  const well = driver.unwell(how);
  const telling = driver.tell(waiting);
  if (how === "down") {
    await eventually(() => (driver.questions() - before >= 2 ? true : undefined));
    driver.world().clock.moveOn(HOUR);
    expect((await waiting.now()).state).toBe("pending");
    expect(driver.world().ran).toEqual([]);
    well();
  }
  await telling;
  const asked = await driver.find(waiting);
  await asked.answer({ verdict: "approve" });
  expect(await waiting.answer).toMatchObject({ status: "ran" });
  await asked.replay();
  expect(driver.world().ran).toEqual([{ amount: 450 }]);
  return how === "down" ? "sent when back, 1 run" : `sent ${driver.questions() - before} times, 1 run`;
}

const faults = {
  "bad signature": (driver) => forged(driver, { secret: "another" }),
  "10 minutes old": (driver) => shifted(driver, -600_000),
  "10 minutes ahead": (driver) => shifted(driver, 600_000),
  async replay(driver) {
    const asked = await driver.ask();
    await asked.answer({ verdict: "approve" });
    await asked.replay();
    await asked.waiting.answer;
    await asked.replay();
    expect(driver.world().ran).toEqual([ARGS]);
    return "1 run";
  },
  async "second decision"(driver) {
    const asked = await driver.ask();
    await asked.answer({ verdict: "deny" });
    await asked.waiting.answer;
    await asked.answer({ verdict: "approve" }, "bob");
    await asked.answer({ amount: 1 }, "bob").catch(() => false);
    expect(driver.world().ran).toEqual([]);
    expect((await asked.waiting.now()).state).toBe("denied");
    return "the first stands";
  },
  async "stale version"(driver) {
    const asked = await driver.ask();
    const row = { ...asked.waiting.approval, version: 2, since: 2 };
    const before = driver.name === "linear" ? await linear.issueNow(await linear.issueAbout(row.id)) : undefined;
    await driver.world().store.commit({ approvals: [{ row, expect: 1 }], entries: [] });
    if (before !== undefined) {
      // The issue is written anew with the question; somebody puts the older text back.
      const issue = await linear.issueAbout(row.id);
      await linear.said(issue, "asked again");
      const change =
        "mutation($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }";
      await linear.as("eve", change, { id: issue, input: { description: before.description } });
    }
    await asked.answer({ verdict: "approve" });
    await untouched(driver, asked);
    return "stale version";
  },
  async expired(driver) {
    const asked = await driver.ask();
    driver.world().clock.moveOn(DEADLINE_MS + 1);
    expect(await asked.waiting.answer).toMatchObject({ denial: { status: "expired" } });
    await asked.answer({ verdict: "approve" });
    expect(driver.world().ran).toEqual([]);
    return "denied";
  },
  async "unmapped person"(driver) {
    const asked = await driver.ask();
    for (const what of [{ verdict: "approve" }, { verdict: "deny" }, { amount: 50 }] as const) {
      await asked.answer(what, "eve").catch(() => false);
    }
    await untouched(driver, asked);
    return "not allowed";
  },
  guest: (driver) => unfit(driver, { is_restricted: true }, { guest: true }),
  bot: (driver) => unfit(driver, { is_bot: true }, { app: true }),
  async "edited comment"(driver) {
    if (driver.name !== "linear") return "n/a: nothing there can be edited";
    const asked = await driver.ask();
    const issue = await linear.issueAbout(asked.waiting.approval.id);
    const id = await linear.comment("ann", issue, "looks good");
    const edit =
      "mutation($id: String!, $input: CommentUpdateInput!) { commentUpdate(id: $id, input: $input) { success } }";
    await linear.as("ann", edit, { id, input: { body: "/approve" } });
    await untouched(driver, asked);
    return "no answer";
  },
  async "oversized JSON"(driver) {
    const asked = await driver.ask();
    expect(await driver.oversized()).toBe(413);
    await untouched(driver, asked);
    return "refused, 413";
  },
  "smart-quoted JSON": (driver) => typed(driver, "{“amount”: 1}"),
  "no JSON": (driver) => typed(driver, "fifty"),
  "a key twice": (driver) => typed(driver, '{"amount": 1, "amount": 2}'),
  async "arguments over the card's limits"(driver) {
    const asked = await driver.ask({ amount: 450, reason: "x".repeat(60_000) });
    const offered = await asked.answer({ verdict: "approve" });
    const whole = driver.name === "webhook" || driver.name === "email";
    if (!whole) {
      await untouched(driver, asked);
      return offered ? "not allowed" : "no approve button";
    }
    expect((await asked.waiting.answer).status).toBe("ran");
    expect(driver.world().ran).toHaveLength(1);
    return "all are shown, 1 run";
  },
  "vendor 500 after posting": (driver) => unwell(driver, "500 after posting"),
  "vendor down for an hour": (driver) => unwell(driver, "down"),
  "vendor answers 429": (driver) => unwell(driver, "429"),
} satisfies Readonly<Record<string, Cell>>;

type Fault = keyof typeof faults;
const rows = Object.keys(faults) as Fault[];
/** Nobody answers at PagerDuty: its cells are its own, and none may be missing. */
const others: Readonly<Record<string, Readonly<Record<Fault, () => Promise<string>>>>> = { pagerduty: onPagerDuty };
const names = [...drivers.map(({ name }) => name), ...Object.keys(others)];

const table = new Map<string, string>();

describe.each(drivers)("$name", (driver) => {
  it.each(rows)("%s: never twice, never unasked [A4~]", async (fault) => {
    table.set(`${fault} ${driver.name}`, await faults[fault](driver));
  });
});

describe.each(Object.entries(others))("%s", (name, cells) => {
  it.each(rows)("%s: never twice, never unasked [A4~]", async (fault) => {
    table.set(`${fault} ${name}`, await cells[fault]());
  });
});

it("has no cell that says neither what happened nor why it cannot", () => {
  const said = rows.flatMap((fault) => names.map((name) => [fault, name, table.get(`${fault} ${name}`)] as const));
  expect(said.filter(([, , text]) => text === undefined || !/^(n\/a: .{10}|(?!n\/a).{5})/.test(text))).toEqual([]);
});

afterAll(() => {
  const lines = rows.map((fault) => [fault, ...names.map((name) => table.get(`${fault} ${name}`) ?? "missing")]);
  const widths = ["", ...names].map((name, column) =>
    Math.max(name.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  console.log([line(["", ...names]), ...lines.map(line)].map((text) => text.trimEnd()).join("\n"));
});
