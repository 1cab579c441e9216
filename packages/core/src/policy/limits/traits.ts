/** What the breakers may know of a tool: read from its entries, and what two entries say differently. */

import type { ToolTraits } from "../../traits.ts";
import { canonicalJson } from "../../value/json.ts";
import type { ToolSource } from "../format.ts";
import { type Issues, quote } from "../issue.ts";
import type { ToolModel } from "../model.ts";
import type { ToolKind } from "../policy-set.ts";
import type { Located } from "../shape.ts";
import type { DeclaredTraits } from "./model.ts";

export function declaredTraits(tool: string, source: ToolSource, issues: Issues): DeclaredTraits {
  const { identity, volatile, progress, poll, paginate, recipients, span } = source;
  const lists = { identity, volatile, recipients };
  for (const [key, list] of Object.entries(lists)) {
    if (list?.length === 0) issues.error("empty", span, `\`${key}\` of ${quote(tool)} is an empty list; remove it`);
  }
  if (poll !== undefined && paginate !== undefined) {
    issues.error("bad-value", span, `${quote(tool)} has both \`poll\` and \`paginate\`; keep one`);
  }
  // Keys that did not read were reported; what is required may still be absent here.
  const { every, for: long }: Partial<NonNullable<ToolSource["poll"]>> = poll ?? {};
  if (every !== undefined && long !== undefined && long < every) {
    issues.error(
      "bad-value",
      span,
      `\`for\` of ${quote(tool)} is shorter than \`every\`, so it could not be polled twice`,
    );
  }
  const both = (identity ?? []).find((path) => paths(volatile ?? []).includes(pathOf(path)));
  if (both !== undefined) {
    const message = `${quote(both.value)} cannot be both \`identity\` and \`volatile\` of ${quote(tool)}; keep one`;
    issues.error("conflict", both.span, message);
  }
  return {
    ...(identity === undefined ? {} : { identity: paths(identity) }),
    ...(volatile === undefined ? {} : { volatile: paths(volatile) }),
    ...(progress === undefined ? {} : { progress: progress.value }),
    ...(every === undefined || long === undefined ? {} : { poll: { everyMs: every, forMs: long } }),
    ...(paginate === undefined ? {} : { paginate: pathOf(paginate) }),
    ...(recipients === undefined ? {} : { recipients: paths(recipients) }),
  };
}

/** Said once over all entries that a tool has; `checkTraitPairs` holds them to it. */
export function mergedTraits(kind: ToolKind, entries: readonly ToolModel[]): ToolTraits {
  return Object.freeze(Object.assign({ kind }, ...entries.map(({ traits }) => traits)) as ToolTraits);
}

export function checkTraitPairs(a: ToolModel, b: ToolModel, issues: Issues): void {
  const { file, line, column } = a.span;
  const place = `${file}:${line}:${column}`;
  for (const key of Object.keys(a.traits) as (keyof DeclaredTraits)[]) {
    const [one, other] = [a.traits[key], b.traits[key]];
    if (other === undefined || canonicalJson(one) === canonicalJson(other)) continue;
    issues.error("conflict", b.span, `\`${key}\` of ${quote(b.name)} is another one at ${place}; keep one`);
  }
  const both = { ...a.traits, ...b.traits };
  const each = [a.traits, b.traits].some(({ poll, paginate }) => poll !== undefined && paginate !== undefined);
  if (both.poll === undefined || both.paginate === undefined || each) return;
  issues.error("conflict", b.span, `${quote(b.name)} has both \`poll\` and \`paginate\`, with ${place}; keep one`);
}

/** In one order, since keys are made of them: two spellings of one declaration are one. */
function paths(written: readonly Located[]): readonly string[] {
  return [...new Set(written.map(pathOf))].sort();
}

/** `args.to` and `to` are one path. */
function pathOf({ value }: Located): string {
  return value.replace(/^args\./, "");
}
