/** What a revision would have changed, counted while the calls go by: bounded, however many there are. */
import type { JsonObject, Verdict } from "@saferun/core";

export interface Answer {
  readonly verdict: Verdict;
  readonly by: readonly string[];
}

/** A call that gets another verdict. */
export interface Change {
  /** `line 17`, or the id of a call. */
  readonly where: string;
  readonly tool: string;
  readonly from: Answer;
  readonly to: Answer;
}

/** A judged call; `before` is undefined where nobody says what it was. */
export interface Judged {
  /** The id of a call, or the number of a line. */
  readonly where: string | number;
  readonly tool: string;
  readonly before: Answer | undefined;
  readonly after: Answer;
}

export interface Tally {
  add(judged: Judged): void;
  /** A call that could not be judged again, by the reason. */
  miss(reason: string): void;
  result(): Result;
}

export interface Result {
  readonly judged: number;
  /** Those with another verdict, and those with the same verdict by other rules. */
  readonly changed: number;
  readonly otherRules: number;
  /** Calls whose verdict before is not known. */
  readonly unknownBefore: number;
  readonly missing: Readonly<Record<string, number>>;
  readonly before: Readonly<Record<Verdict, number>>;
  readonly after: Readonly<Record<Verdict, number>>;
  /** `allow → deny`, … with their numbers, the most first. */
  readonly moves: readonly { readonly from: Verdict; readonly to: Verdict; readonly calls: number }[];
  /** How often an id had the final verdict, the largest difference first. */
  readonly rules: readonly { readonly id: string; readonly before: number; readonly after: number }[];
  /** The first ones, up to the limit. */
  readonly changes: readonly Change[];
}

export function createTally(limit: number): Tally {
  const counts = { judged: 0, changed: 0, otherRules: 0, unknownBefore: 0 };
  const before = { allow: 0, deny: 0, pause: 0 };
  const after = { allow: 0, deny: 0, pause: 0 };
  const missing = new Map<string, number>();
  const moves = new Map<string, { from: Verdict; to: Verdict; calls: number }>();
  const rules = new Map<string, { before: number; after: number }>();
  const changes: Change[] = [];

  function count(answer: Answer, side: "before" | "after"): void {
    for (const id of answer.by) {
      const known = rules.get(id);
      if (known !== undefined) known[side]++;
      else rules.set(id, { before: 0, after: 0, [side]: 1 });
    }
  }

  function compare(from: Answer, { where, tool, after: to }: Judged): void {
    if (from.verdict === to.verdict) {
      if (!sameTexts(from.by, to.by)) counts.otherRules++;
      return;
    }
    counts.changed++;
    const key = `${from.verdict} ${to.verdict}`;
    const move = moves.get(key);
    if (move !== undefined) move.calls++;
    else moves.set(key, { from: from.verdict, to: to.verdict, calls: 1 });
    if (changes.length >= limit) return;
    changes.push({ where: typeof where === "number" ? `line ${where}` : where, tool, from, to });
  }

  return {
    add(judged) {
      counts.judged++;
      after[judged.after.verdict]++;
      count(judged.after, "after");
      if (judged.before === undefined) {
        counts.unknownBefore++;
        return;
      }
      before[judged.before.verdict]++;
      count(judged.before, "before");
      compare(judged.before, judged);
    },
    miss(reason) {
      missing.set(reason, (missing.get(reason) ?? 0) + 1);
    },
    result: () => ({
      ...counts,
      missing: Object.fromEntries(missing),
      before,
      after,
      moves: [...moves.values()].sort((a, b) => b.calls - a.calls),
      rules: [...rules]
        .map(([id, numbers]) => ({ id, ...numbers }))
        .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before) || (a.id < b.id ? -1 : 1)),
      changes,
    }),
  };
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

export function resultJson(
  result: Result,
  revisions: { readonly from: string | null; readonly to: string },
): JsonObject {
  return {
    revision: revisions.to,
    against: revisions.from,
    judged: result.judged,
    changed: result.changed,
    same_verdict_by_other_rules: result.otherRules,
    verdict_before_unknown: result.unknownBefore,
    not_reproducible: result.missing,
    before: { ...result.before },
    after: { ...result.after },
    moves: result.moves.map((move) => ({ ...move })),
    rules: result.rules.map((rule) => ({ ...rule })),
    changes: result.changes.map(({ where, tool, from, to }) => ({
      where,
      tool,
      from: from.verdict,
      from_by: from.by,
      to: to.verdict,
      by: to.by,
    })),
    changes_left_out: result.changed - result.changes.length,
  };
}
