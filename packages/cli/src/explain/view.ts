/** A decision for people: what it is, which rules made it so and by which values, and how near the others were. */
import type { Decision, Json, JsonObject, PolicySet, RuleOutcome, ToolCall } from "@saferun/core";
import { printable } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { table } from "../output/table.ts";
import { leaf, treeLines } from "../output/tree.ts";

export interface Explained {
  readonly call: ToolCall;
  readonly decision: Decision;
  readonly policies: PolicySet;
  /** What the gate decided then, where the call comes from the log. */
  readonly recorded: { readonly verdict: string; readonly by: readonly string[]; readonly revision: string } | null;
}

/** Rules that did not match are shown up to this number. */
const MISSES = 20;
const REVISION = 12;

export function explainedJson({ call, decision, policies, recorded }: Explained): JsonObject {
  const { verdict, by, reason, fix, revision, rules, would } = decision;
  return {
    verdict,
    by,
    reason,
    ...(fix === undefined ? {} : { fix }),
    revision,
    ...(would === undefined ? {} : { would: { ...would } }),
    tool: call.tool,
    kind: policies.kind(call.tool),
    agent: call.agent,
    env: call.environment,
    args: call.args,
    recorded: recorded === null ? null : { ...recorded },
    rules: rules.map((rule) => ({
      rule: rule.rule,
      file: rule.span.file,
      line: rule.span.line,
      column: rule.span.column,
      then: rule.then,
      matched: rule.matched,
      verdict: rule.verdict,
      ...(rule.error === undefined ? {} : { error: rule.error }),
      because: (rule.because ?? []).map(({ text, value }) => ({ text, value })),
    })),
  };
}

export function explainedLines(explained: Explained, style: Style): string[] {
  const { call, decision, recorded } = explained;
  const { verdict, by, reason, fix, revision, would } = decision;
  const spoke = decision.rules.filter((rule) => rule.matched !== "false" || rule.verdict !== null);
  const missed = decision.rules.filter((rule) => !spoke.includes(rule));
  const lines = [
    `${tone(style, verdict)} by ${by.map(printable).join(", ")}  ${style.dim(`revision ${revision.slice(0, REVISION)}`)}`,
    `  ${printable(reason)}`,
  ];
  if (fix !== undefined) lines.push(`  instead: ${printable(fix)}`);
  if (would !== undefined)
    lines.push(`  would be ${tone(style, would.verdict)} by ${would.by.map(printable).join(", ")}`);
  if (recorded !== null) lines.push(`  ${recordedText(recorded, decision)}`);
  lines.push(
    "",
    `${printable(call.tool)}  ${style.dim(`agent ${printable(call.agent)} in ${printable(call.environment)}`)}`,
    ...treeLines(call.args),
    ...unmatchedLines(explained),
  );
  if (spoke.length > 0) lines.push("", "rules that spoke", ...spoke.flatMap((rule) => ruleLines(rule, call, style)));
  if (missed.length > 0) {
    lines.push("", "rules of this call that did not match, and what was false in them");
    lines.push(...missed.slice(0, MISSES).flatMap((rule) => ruleLines(rule, call, style)));
    if (missed.length > MISSES) lines.push(`  and ${missed.length - MISSES} more; \`--json\` has them all`);
  }
  return lines;
}

function recordedText(recorded: NonNullable<Explained["recorded"]>, { verdict, by, revision }: Decision): string {
  const same = recorded.verdict === verdict && recorded.by.join("\n") === by.join("\n");
  const then = `${recorded.verdict} by ${recorded.by.map(printable).join(", ")}`;
  const under =
    recorded.revision === revision ? "the same revision" : `revision ${recorded.revision.slice(0, REVISION)}`;
  return same ? `as recorded under ${under}` : `recorded was ${then}, under ${under}`;
}

/** Where no rule decided: what the environment went by. */
function unmatchedLines({ call, decision, policies }: Explained): string[] {
  const [unmatched] = decision.by.filter((id) => id.startsWith("unmatched:"));
  if (unmatched === undefined) return [];
  const kind = policies.kind(call.tool);
  const declared = policies.declares(call.tool) ? "" : ", because nothing declares it";
  const known = unmatched === `unmatched:${call.environment}`;
  const strictest = `\`${printable(call.environment)}\` is no declared environment, so that the strictest one counts`;
  return [
    "",
    ...(known ? [] : [strictest]),
    `no rule permits it, and \`${printable(unmatched)}\` says ${decision.verdict} for ${kind} tools: it is one${declared}`,
  ];
}

function ruleLines(rule: RuleOutcome, call: ToolCall, style: Style): string[] {
  const { span, then, matched, verdict, error, because = [] } = rule;
  const said =
    verdict === null ? (matched === "false" ? "" : "  observed only") : verdict === then ? "" : `  else: ${verdict}`;
  const head = `  ${style.bold(printable(rule.rule))}  ${tone(style, then)}  ${style.dim(`${printable(span.file)}:${span.line}:${span.column}`)}${said}`;
  const rows = because.map(({ text, value }): [string, string] => [`    ${printable(text)}`, valueText(value)]);
  // Of a rule that did not match only the part that was false is given: the arguments in it say why.
  const values = matched === "false" ? because.flatMap(({ text }) => argumentsIn(text, call.args)) : [];
  const known = new Set(because.map(({ text }) => text));
  const more = values
    .filter(([text]) => !known.has(text))
    .map(([text, value]): [string, string] => [`    ${text}`, value]);
  const lines = [head, ...table([...rows, ...more])];
  if (error !== undefined) lines.push(`    ${style.bad("error")}  ${printable(error)}`);
  if (because.length === 0 && error === undefined) lines.push(style.dim("    always"));
  return lines;
}

function valueText(value: Json | { readonly error: string }): string {
  const failed = typeof value === "object" && value !== null && "error" in value && Object.keys(value).length === 1;
  return failed ? `error: ${printable(String(value.error))}` : leaf(value);
}

function argumentsIn(text: string, args: JsonObject): readonly (readonly [string, string])[] {
  const paths = new Set([...text.matchAll(/\bargs((?:\.[A-Za-z_][A-Za-z0-9_]*)+)/g)].map(([, path = ""]) => path));
  return [...paths].map((path) => [`args${path}`, leaf(valueAt(args, path.slice(1).split(".")))] as const);
}

function valueAt(value: Json | undefined, keys: readonly string[]): Json | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const map = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
  return valueAt(Object.hasOwn(map, key) ? map[key] : undefined, rest);
}
