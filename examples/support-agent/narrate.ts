/** What the spectator sees: one line per call, then what the tool servers' own ledgers say. */
import { styleText } from "node:util";
import type { LogReport } from "./log.ts";
import type { Executed } from "./servers/start.ts";
import type { StoryCall } from "./story.ts";

type Style = Parameters<typeof styleText>[0];

const COLUMNS = { tool: 12, subject: 24, verdict: 10, rule: 15 };

export interface Narrator {
  say(text: string): void;
  opening(policies: string): void;
  title(text: string): void;
  /** Prints what has become known since the last time. `ran` is what the servers executed so far. */
  calls(calls: readonly StoryCall[], ran: readonly Executed[]): void;
  summary(ran: readonly Executed[], asExpected: boolean): void;
  log(report: LogReport): void;
}

/** `write` takes whole lines. Colours follow the terminal and NO_COLOR. */
export function createNarrator(write: (line: string) => void): Narrator {
  const told = new Set<string>();
  const once = (key: string, line: string) => {
    if (!told.has(key)) write(line);
    told.add(key);
  };
  return {
    say: write,
    opening(policies) {
      write(`${paint("bold", "SafeRun")} between a support agent and its tools, by the rules of`);
      write(policies);
      write(`\n${HEADING}`);
    },
    title: (text) => write(`\n${paint("bold", text)}`),
    calls(calls, ran) {
      for (const call of calls) {
        const done = ran.filter(({ key }) => key !== null && key === call.key);
        if (isTold(call)) once(call.id, callLine(call, done));
        if (call.verdict === "pause" && isAnswered(call)) once(`${call.id} answer`, answerLine(call, done));
      }
    },
    summary(ran, asExpected) {
      for (const line of summaryLines(ran, asExpected)) write(line);
    },
    log({ status, entries }) {
      const good = status === "verified";
      write(`   ${paint(good ? "green" : "red", good ? "✓" : "✗")} the log: ${entries} entries, ${status}`);
    },
  };
}

const HEADING = paint(
  "dim",
  `   ${"the model asks for".padEnd(COLUMNS.tool + COLUMNS.subject)}${"the gate".padEnd(COLUMNS.verdict)}${"by rule".padEnd(COLUMNS.rule)}what ran`,
);

/** Cents → `$4,500.00`. */
export function dollars(cents: unknown): string {
  const amount = Number(cents);
  if (!Number.isSafeInteger(amount)) return String(cents);
  const [whole, part] = (Math.abs(amount) / 100).toFixed(2).split(".");
  return `${amount < 0 ? "-" : ""}$${whole?.replace(/\B(?=(\d{3})+$)/g, ",")}.${part}`;
}

function isTold(call: StoryCall): boolean {
  return call.verdict === "deny" || call.verdict === "pause" || call.outcome !== undefined;
}

function isAnswered(call: StoryCall): boolean {
  return (
    call.over === true || call.refused !== undefined || call.answer?.verdict === "deny" || call.outcome !== undefined
  );
}

function callLine(call: StoryCall, ran: readonly Executed[]): string {
  const effect = call.verdict === "pause" ? paint("dim", "waits for a person") : effectOf(call, ran);
  return row(call.tool, subjectOf(call.tool, call.args), verdictOf(call), call.rules.join(" "), effect);
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

function row(tool: string, subject: string, verdict: string, rule: string, effect: string): string {
  const { tool: first, subject: second, rule: fourth } = COLUMNS;
  return `   ${tool.padEnd(first)}${subject.padEnd(second)}${verdict}${paint("dim", rule.padEnd(fourth))}${effect}`;
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
  const text = ran.map(effect).join(" and ");
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
  return String(args.order_id ?? args.ticket_id ?? "all leads");
}

function summaryLines(ran: readonly Executed[], asExpected: boolean): string[] {
  const refunds = ran.filter(({ tool }) => tool === "refund").map(({ args }) => Number(args.amount));
  const total = refunds.reduce((sum, amount) => sum + amount, 0);
  const paid = refunds.length === 0 ? "" : `: ${refunds.map(dollars).join(" + ")}`;
  const sum = refunds.length < 2 ? "" : ` = ${dollars(total)}`;
  const lookups = ran.filter(({ server }) => server === "orders").length;
  const mails = ran.filter(({ server }) => server === "mail").length;
  return [
    `\n${paint("bold", "What really ran, counted by the tool servers themselves")}`,
    `   orders      ${count(lookups, "lookup")}`,
    `   payments    ${count(refunds.length, "refund")}${paid}${sum}`,
    `   mail        ${count(mails, "mail")}`,
    asExpected
      ? `   ${paint("green", "✓")} exactly what had to run, each once`
      : `   ${paint("red", "✗ this is not what had to run")}`,
  ];
}

function count(number: number, word: string): string {
  return `${number === 0 ? "no" : number} ${word}${number === 1 ? "" : "s"}`;
}

function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
