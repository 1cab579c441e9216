/** What the spectator sees: one line per call, or for calls that are alike, then what the tool servers' own ledgers say. */
import { styleText } from "node:util";
import { knownAmount } from "@saferun/core";
import type { BudgetReport, LogReport } from "./log.ts";
import type { Executed } from "./servers/start.ts";
import type { StoryCall, StoryTrip } from "./story.ts";

type Style = Parameters<typeof styleText>[0];

const COLUMNS = { tool: 12, subject: 24, verdict: 10, rule: 16 };

export interface Narrator {
  say(text: string): void;
  opening(policies: string): void;
  title(text: string): void;
  /** Prints what has become known since the last time. `ran` is what the servers executed so far. */
  calls(calls: readonly StoryCall[], ran: readonly Executed[]): void;
  /** Prints what has tripped since the last time. */
  trips(trips: readonly StoryTrip[]): void;
  summary(ran: readonly Executed[], asExpected: boolean): void;
  /** Beside what the ledgers say was paid. */
  budgets(budgets: readonly BudgetReport[], ran: readonly Executed[]): void;
  log(report: LogReport): void;
}

/** `write` takes whole lines. Colours follow the terminal and NO_COLOR. */
export function createNarrator(write: (line: string) => void): Narrator {
  const told = new Set<string>();
  let alike: CallRow[] = [];
  const flush = () => {
    if (alike.length > 0) write(rowLine(alike));
    alike = [];
  };
  const say = (line: string) => {
    flush();
    write(line);
  };
  const once = (key: string, tell: () => void) => {
    if (!told.has(key)) tell();
    told.add(key);
  };
  return {
    say,
    opening(policies) {
      write(`${paint("bold", "SafeRun")} between a support agent and its tools, by the rules of`);
      write(policies);
      write(`\n${HEADING}`);
    },
    title: (text) => say(`\n${paint("bold", text)}`),
    calls(calls, ran) {
      for (const call of calls) {
        const done = ran.filter(({ key }) => key !== null && key === call.key);
        if (isTold(call)) {
          once(call.id, () => {
            const row = callRow(call, done);
            if (alike[0] !== undefined && !isAlike(alike[0], row)) flush();
            alike.push(row);
            // Who is asked reads what for.
            if (call.verdict === "pause") flush();
          });
        }
        if (call.verdict === "pause" && isAnswered(call)) once(`${call.id} answer`, () => say(answerLine(call, done)));
      }
    },
    trips(trips) {
      for (const [index, trip] of trips.entries()) once(`trip ${index}`, () => say(tripLine(trip)));
    },
    summary(ran, asExpected) {
      for (const line of summaryLines(ran, asExpected)) say(line);
    },
    budgets(budgets, ran) {
      const paid = sum(refundsOf(ran));
      for (const { budget, spent, held, limit } of budgets) {
        const waits = held === 0 ? "" : `, ${dollars(held)} held`;
        const agrees = spent <= paid && paid <= spent + held;
        say(`   ${mark(agrees)} the budget ${budget}: ${dollars(spent)} of ${dollars(limit)} spent${waits}`);
      }
    },
    log({ status, entries }) {
      say(`   ${mark(status === "verified")} the log: ${entries} entries, ${status}`);
    },
  };
}

const HEADING = paint(
  "dim",
  `   ${"the model asks for".padEnd(COLUMNS.tool + COLUMNS.subject)}${"the gate".padEnd(COLUMNS.verdict)}${"by rule".padEnd(COLUMNS.rule)}what ran`,
);

/** Cents → `$4,500.00`, as everywhere in SafeRun. */
export function dollars(cents: unknown): string {
  return (typeof cents === "number" ? knownAmount(cents, "usd_cents") : undefined) ?? String(cents);
}

function isTold(call: StoryCall): boolean {
  return call.verdict === "deny" || call.verdict === "pause" || call.outcome !== undefined;
}

function isAnswered(call: StoryCall): boolean {
  return (
    call.over === true || call.refused !== undefined || call.answer?.verdict === "deny" || call.outcome !== undefined
  );
}

interface CallRow {
  readonly tool: string;
  readonly subject: string;
  readonly verdict: string;
  readonly rule: string;
  readonly effect: string;
}

function callRow(call: StoryCall, ran: readonly Executed[]): CallRow {
  const { tool, args, rules } = call;
  const effect = call.verdict === "pause" ? paint("dim", "waits for a person") : effectOf(call, ran);
  return { tool, subject: subjectOf(tool, args), verdict: verdictOf(call), rule: rules.join(" "), effect };
}

function isAlike(one: CallRow, other: CallRow): boolean {
  return (["tool", "verdict", "rule", "effect"] as const).every((column) => one[column] === other[column]);
}

/** One line for calls that are alike in all but what they are about. */
function rowLine(rows: readonly CallRow[]): string {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return "";
  const { tool, subject, verdict, rule, effect } = first;
  const times = subject === last.subject ? `${subject}, ${rows.length} times` : `${subject} to ${last.subject}`;
  const about = rows.length === 1 ? subject : times;
  return `   ${tool.padEnd(COLUMNS.tool)}${about.padEnd(COLUMNS.subject)}${verdict}${paint("dim", rule.padEnd(COLUMNS.rule))}${effect}`;
}

function tripLine({ scope, name, to }: StoryTrip): string {
  if (to === "open") return `   ${paint("yellow", `the ${scope} ${name} is left alone for a while, then asked once`)}`;
  const reset = `npx saferun breakers reset ${scope}:${name}`;
  return `   ${paint("red", `the ${scope} ${name} is stopped until a person resets it:`)} ${reset}`;
}

function answerLine(call: StoryCall, ran: readonly Executed[]): string {
  const text = answerOf(call);
  const width = COLUMNS.subject + COLUMNS.verdict + COLUMNS.rule;
  const style = call.answer?.verdict === "allow" && call.refused === undefined ? "green" : "red";
  return `   ${"".padEnd(COLUMNS.tool)}${paint(style, text)}${"".padEnd(Math.max(1, width - text.length))}${effectOf(call, ran)}`;
}

function answerOf({ tool, answer, refused }: StoryCall): string {
  if (answer === undefined) return "nobody answered";
  const { verdict, by, edited, args } = answer;
  if (verdict !== "allow") return `denied by ${by}`;
  const approved = edited ? `edited to ${subjectOf(tool, args)}, by ${by}` : `approved by ${by}`;
  return refused === undefined ? approved : `${approved}; denied by ${refused.join(" ")}`;
}

const VERDICTS: Readonly<Record<string, readonly [Style, string]>> = {
  allow: ["green", "✓ allow"],
  pause: ["yellow", "‖ pause"],
  deny: ["red", "✗ deny"],
};

function verdictOf({ verdict }: StoryCall): string {
  const [style, text] = VERDICTS[verdict ?? ""] ?? (["dim", "?"] as const);
  return paint(style, text.padEnd(COLUMNS.verdict));
}

function effectOf(call: StoryCall, ran: readonly Executed[]): string {
  const text = call.error ?? ran.map(effect).join(" and ");
  if (call.outcome === "unknown") return paint("yellow", `${text || "perhaps nothing"}, outcome unknown`);
  return text === "" ? paint("dim", "nothing") : text;
}

function effect({ tool, args }: Executed): string {
  if (tool === "refund") return `${dollars(args.amount)} paid`;
  if (tool === "send_mail") return `sent ${subjectOf(tool, args)}`;
  return "looked up";
}

/** What a call is about, for people. */
function subjectOf(tool: string, args: Readonly<Record<string, unknown>>): string {
  if (tool === "refund") return `${dollars(args.amount)} for ${String(args.order_id)}`;
  if (tool === "send_mail") return `to ${Array.isArray(args.to) ? args.to.length : 1} people`;
  return String(args.order_id ?? args.ticket_id ?? args.parcel_id ?? "all leads");
}

function summaryLines(ran: readonly Executed[], asExpected: boolean): string[] {
  const refunds = refundsOf(ran);
  const paid = refunds.length === 0 ? "" : `: ${refunds.map(dollars).join(" + ")}`;
  const total = refunds.length < 2 ? "" : ` = ${dollars(sum(refunds))}`;
  const lookups = ran.filter(({ server }) => server === "orders").length;
  const parcels = ran.filter(({ server }) => server === "carrier").length;
  const mails = ran.filter(({ server }) => server === "mail").length;
  return [
    `\n${paint("bold", "What really ran, counted by the tool servers themselves")}`,
    `   orders      ${count(lookups, "lookup")}`,
    `   carrier     ${count(parcels, "request")}`,
    `   payments    ${count(refunds.length, "refund")}${paid}${total}`,
    `   mail        ${count(mails, "mail")}`,
    asExpected
      ? `   ${mark(true)} exactly what had to run, and nothing else`
      : `   ${paint("red", "✗ this is not what had to run")}`,
  ];
}

function refundsOf(ran: readonly Executed[]): number[] {
  return ran.filter(({ tool }) => tool === "refund").map(({ args }) => Number(args.amount));
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

function mark(good: boolean): string {
  return good ? paint("green", "✓") : paint("red", "✗");
}

function count(number: number, word: string): string {
  return `${number === 0 ? "no" : number} ${word}${number === 1 ? "" : "s"}`;
}

function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
