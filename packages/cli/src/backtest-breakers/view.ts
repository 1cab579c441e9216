/** The result for people: the sum, then by detector, then call by call. */
import { printable, short } from "../output/printable.ts";
import type { Style } from "../output/style.ts";
import { table } from "../output/table.ts";
import type { BreakerResult } from "./tally.ts";

export function breakerLines({ judged, changed, missing, detectors, changes }: BreakerResult, style: Style): string[] {
  const sum = `${judged} call${judged === 1 ? "" : "s"} replayed, ${changed} with another outcome`;
  const lines = [changed === 0 ? style.good(sum) : style.wait(sum)];
  for (const [reason, calls] of Object.entries(missing)) {
    lines.push(style.wait(`${calls} could not be replayed: ${printable(reason)}`));
  }
  const fired = detectors.filter(({ before, after }) => [before, after].some((one) => one.enforced + one.observed > 0));
  if (fired.length > 0) {
    const head = ["DETECTOR", "BEFORE", "AFTER", "OBSERVED BEFORE", "OBSERVED AFTER"].map(style.dim);
    const rows = fired.map(({ name, before, after }) => [
      name,
      String(before.enforced),
      String(after.enforced),
      String(before.observed),
      String(after.observed),
    ]);
    lines.push("", ...table([head, ...rows]));
  }
  if (changes.length === 0) return lines;
  const rows = changes.map(({ where, tool, from, to, by }) => [
    printable(where),
    short(tool, 40),
    outcomeText(from),
    `${outcomeText(to)} ${style.dim(by.join(", "))}`,
  ]);
  lines.push("", ...table([["CALL", "TOOL", "FROM", "TO"].map(style.dim), ...rows]));
  if (changed > changes.length) lines.push(`and ${changed - changes.length} more; \`--limit\` shows more of them`);
  return lines;
}

/** In people's words. */
function outcomeText(outcome: string): string {
  return { trip_run: "run stopped", trip_agent: "agent stopped" }[outcome] ?? outcome;
}
