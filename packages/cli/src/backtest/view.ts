/** The result of a backtest for people: the sum first, then which rules, then call by call. */
import type { Verdict } from "@saferun/core";
import { counted } from "../output/counted.ts";
import { printable, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { table } from "../output/table.ts";
import type { Result } from "./tally.ts";

const VERDICTS: readonly Verdict[] = ["allow", "pause", "deny"];
/** Rules that are listed; `--json` has all. */
const RULES = 20;

const MISSING: Readonly<Record<string, string>> = {
  malformed: "were no calls, which no policy is asked about",
  erased: "have lost their content from the log",
  masked: "have something else than their content in the log",
  incomplete: "begin before the time that was asked for",
};

export function resultLines(result: Result, style: Style): string[] {
  const { judged, changed, otherRules, unknownBefore, missing, changes } = result;
  const sum = `${counted(judged, "call")} judged, ${changed} with another verdict`;
  const lines = [changed === 0 ? style.good(sum) : style.wait(sum)];
  if (otherRules > 0) lines.push(`${otherRules} with the same verdict by other rules`);
  if (unknownBefore > 0)
    lines.push(`${unknownBefore} of which nobody says what they were decided as; \`--against\` can`);
  for (const [reason, calls] of Object.entries(missing)) {
    lines.push(style.wait(`${calls} could not be judged again: they ${MISSING[reason] ?? printable(reason)}`));
  }
  if (judged === 0) return lines;
  lines.push(
    "",
    ...table([
      ["", "BEFORE", "AFTER"].map(style.dim),
      ...VERDICTS.map((verdict) => verdictRow(verdict, result, style)),
    ]),
  );
  lines.push(...result.moves.map(({ from, to, calls }) => `${tone(style, from)} → ${tone(style, to)}  ${calls}`));
  const moved = result.rules.filter(({ before, after }) => before !== after);
  const shown = unknownBefore === judged ? result.rules : moved;
  if (shown.length > 0) {
    lines.push("", ...table([["RULE", "BEFORE", "AFTER"].map(style.dim), ...shown.slice(0, RULES).map(ruleRow)]));
    if (shown.length > RULES) lines.push(`and ${shown.length - RULES} more`);
  }
  if (changes.length === 0) return lines;
  const rows = changes.map(({ where, tool, from, to }) => [
    printable(where),
    short(tool, 40),
    `${tone(style, from.verdict)} ${style.dim(short(from.by.join(", "), 60))}`,
    `${tone(style, to.verdict)} ${style.dim(short(to.by.join(", "), 60))}`,
  ]);
  lines.push("", ...table([["CALL", "TOOL", "FROM", "TO"].map(style.dim), ...rows]));
  if (changed > changes.length) lines.push(`and ${changed - changes.length} more; \`--limit\` shows more of them`);
  return lines;
}

function verdictRow(verdict: Verdict, { before, after, unknownBefore, judged }: Result, style: Style): string[] {
  return [tone(style, verdict), unknownBefore === judged ? "-" : String(before[verdict]), String(after[verdict])];
}

function ruleRow({ id, before, after }: Result["rules"][number]): string[] {
  return [printable(id), String(before), String(after)];
}
