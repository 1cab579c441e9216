/** Arguments that are passed over or taken for what they are not: `blind-sink`, `float-money`, `mixed-currency`. */
import { childrenOf, type Expr } from "../cel/ast.ts";
import { printCel } from "../cel/print.ts";
import { quote } from "../issue.ts";
import type { RuleModel } from "../model.ts";
import { schemaAt } from "../schema/cel-type.ts";
import type { Schema } from "../schema/types.ts";
import { plainPath } from "./atom.ts";
import { type Analysis, conditionsOf, type Finding, pathText } from "./findings.ts";
import { KnownTools, keyOf, prefixes } from "./known-tools.ts";
import { ALWAYS, TRUE } from "./region.ts";
import { schemaSample } from "./schema-sample.ts";
import { argumentOf, withArgument } from "./search.ts";
import { type ExampleCall, matchOf, verdictOf } from "./trial.ts";

type Path = readonly string[];

export function argumentUse(analysis: Analysis): readonly Finding[] {
  const known = new KnownTools(analysis);
  return analysis.model.rules.flatMap((rule) => {
    if (rule.condition === null || rule.observe || rule.condition.opaque !== undefined) return [];
    return [
      ...(rule.verdict === "allow" && known.any ? blindSinks(analysis, rule, known) : []),
      ...(known.any && analysis.mayHold(rule, SOME_MONEY) ? floatMoney(analysis, rule, known) : []),
      ...(analysis.mayHold(rule, SOME_CURRENCY) ? mixedCurrency(analysis, rule) : []),
    ];
  });
}

/** `billToEmail` → `bill_to_email`: names are guesses at what is meant, which the example then has to bear out. */
function wordsOf(path: Path): string {
  return (path.at(-1) ?? "").replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}

const ADDRESSEE =
  /(?:^|_)(?:to|cc|bcc|e?mails?|recipients?|address(?:es)?|attendees?|invitees?|participants?|forward)$/;
const SENDER = /(?:^|_)(?:from|sender|author|owner|reply_to)(?:_|$)/;

/** The rule asks where a mail goes, and the tool has other arguments that say so too. */
function blindSinks(analysis: Analysis, rule: RuleModel, tools: KnownTools): readonly Finding[] {
  const own = new Set(rule.condition?.reads.flatMap(prefixes));
  const asks = rule.condition?.reads.some(
    (path) => path[0] === "args" && path.some((_, at) => isAddressee(path.slice(0, at + 1))),
  );
  if (asks !== true) return [];
  for (const tool of tools.inScope(rule)) {
    const schema = analysis.tools.facts(tool).schema?.schema ?? true;
    const sinks = addressees(schema, ["args"]);
    const seen = tools.readBy(tool);
    const asked = sinks.find((path) => own.has(keyOf(path)));
    if (asked === undefined || seen === null) continue;
    for (const missed of sinks.filter((path) => !seen.has(keyOf(path)))) {
      const example = sentBeside(analysis, rule, tool, missed, schema);
      if (example === undefined) continue;
      const message = `${pathText(asked)} is asked about and ${pathText(missed)} by no rule, so that the example reaches somebody else as well; test it too, drop it, or bind it`;
      return [{ code: "blind-sink", span: rule.span, rule, message, example }];
    }
  }
  return [];
}

function isAddressee(path: Path): boolean {
  const words = wordsOf(path);
  return ADDRESSEE.test(words) && !SENDER.test(words);
}

/** Arguments that name people to reach, by their names or as `format: email`, without those that have few values anyway. */
function addressees(schema: Schema, path: Path): readonly Path[] {
  if (typeof schema === "boolean" || path.length > MOST_LEVELS) return [];
  const { object, combined } = schema;
  const parts = [...(combined?.allOf ?? []), ...(combined?.ref ? [combined.ref.target] : [])];
  return [...(object?.properties ?? []), ...parts.flatMap(propertiesOf)].flatMap(([name, inner]): readonly Path[] => {
    const at = [...path, name];
    if (typeof inner === "boolean") return inner && isAddressee(at) ? [at] : [];
    if (inner.allowed !== null) return [];
    return (isAddressee(at) && maySay(inner)) || isMail(inner, at) ? [at] : addressees(inner, at);
  });
}

const MOST_LEVELS = 3;

function propertiesOf(schema: Schema): readonly (readonly [string, Schema])[] {
  return typeof schema === "boolean" ? [] : [...(schema.object?.properties ?? [])];
}

function maySay({ types }: Exclude<Schema, boolean>): boolean {
  return types === null || types.has("string") || types.has("array");
}

function isMail(schema: Schema, path: Path): boolean {
  if (typeof schema === "boolean" || SENDER.test(wordsOf(path))) return false;
  const items = schema.list?.items ?? null;
  return schema.text?.format === "email" || (items !== null && isMail(items, path));
}

const ELSEWHERE = "eve@evil.example";

/** A call that the rule lets through, with one more address. */
function sentBeside(
  { search, claims }: Analysis,
  rule: RuleModel,
  tool: string,
  path: Path,
  schema: Schema,
): ExampleCall | undefined {
  const setting = search.settingOf(rule, tool);
  if (setting === undefined) return undefined;
  const at = schemaAt(schema, path.slice(1));
  const sample = at === null ? undefined : schemaSample(at);
  const values = [ELSEWHERE, [ELSEWHERE], ...(sample === undefined ? [] : [sample])];
  let example: ExampleCall | undefined;
  search.find(setting, claims.scoped(rule, TRUE) ?? ALWAYS, conditionsOf(rule), (_decision, call) =>
    values.some((value) => {
      const more = withArgument(call, path, value);
      const decision = search.decide(more);
      if (decision === undefined || matchOf(decision, rule.id) !== "true" || verdictOf(decision) !== "allow")
        return false;
      example = more;
      return true;
    }),
  );
  return example;
}

const MONEY =
  /(?:^|_)(?:amount|price|total|subtotal|cost|fee|balance|payment|payout|refund|salary|charge|tip|discount)(?:_[a-z]{3})?$/;
/** Cheap: false where a condition surely has no such name. */
const SOME_MONEY = /amount|price|total|cost|fee|balance|pay|refund|salary|charge|tip|discount/i;
const SOME_CURRENCY = /usd|eur|gbp|chf|jpy|cny|inr|aud|cad|nzd|sek|nok|dkk|pln|czk|brl|mxn|zar|sgd|hkd|krw|try/i;
const ORDER = new Set(["<", "<=", ">", ">="]);

/** Money as a fraction: a thousandth of a cent is within the limit, and sums do not come out even. */
function floatMoney(analysis: Analysis, rule: RuleModel, tools: KnownTools): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const path of comparedPaths(rule)) {
    if (path[0] !== "args" || found.has(keyOf(path)) || !MONEY.test(wordsOf(path))) continue;
    for (const tool of tools.inScope(rule)) {
      const schema = analysis.tools.facts(tool).schema?.schema ?? true;
      if (!isFraction(schemaAt(schema, path.slice(1)))) continue;
      const example = withFraction(analysis, rule, tool, path);
      if (example === undefined) continue;
      const message = `${pathText(path)} is money and a \`number\`, so that a fraction of a cent is as good as any; make it an \`integer\` of the smallest unit, say \`multipleOf: 0.01\`, or write an exact decimal and compare it with \`dec(…)\``;
      found.set(keyOf(path), { code: "float-money", span: rule.span, rule, message, example });
      break;
    }
  }
  return [...found.values()];
}

function comparedPaths({ condition }: RuleModel): readonly Path[] {
  const found: Path[] = [];
  const visit = (expr: Expr): void => {
    if (expr.kind === "binary" && ORDER.has(expr.operator)) {
      for (const side of [expr.left, expr.right]) {
        const path = plainPath(side);
        if (path !== null) found.push(path);
      }
    }
    for (const child of childrenOf(expr)) visit(child);
  };
  if (condition !== null) visit(condition.expr);
  return found;
}

function isFraction(schema: Schema | null): boolean {
  if (schema === null || typeof schema === "boolean" || schema.allowed !== null) return false;
  return schema.types?.has("number") === true && (schema.number?.multipleOf ?? null) === null;
}

function withFraction(
  { search, claims }: Analysis,
  rule: RuleModel,
  tool: string,
  path: Path,
): ExampleCall | undefined {
  const setting = search.settingOf(rule, tool);
  let example: ExampleCall | undefined;
  if (setting === undefined) return undefined;
  search.find(setting, claims.scoped(rule, TRUE) ?? ALWAYS, conditionsOf(rule), (_decision, call) => {
    const value = argumentOf(call, path);
    if (typeof value !== "number") return false;
    return [value + 0.001, value - 0.001].some((fraction) => {
      const bent = withArgument(call, path, fraction);
      const decision = search.decide(bent);
      if (decision === undefined || matchOf(decision, rule.id) !== "true") return false;
      example = bent;
      return true;
    });
  });
  return example;
}

const CURRENCY =
  /(?:^|_)(usd|eur|gbp|chf|jpy|cny|inr|aud|cad|nzd|sek|nok|dkk|pln|czk|brl|mxn|zar|sgd|hkd|krw|try)(?:_|$)/;

/** `args.fee_usd + args.fee_eur`, or one compared with the other. */
function mixedCurrency(analysis: Analysis, rule: RuleModel): readonly Finding[] {
  const [mixed] = rule.condition === null ? [] : mixtures(rule.condition.expr);
  const { search, claims } = analysis;
  const setting = mixed === undefined ? undefined : search.settingOf(rule);
  if (mixed === undefined || setting === undefined) return [];
  const { one, other } = mixed;
  let example: ExampleCall | undefined;
  search.find(setting, claims.scoped(rule, TRUE) ?? ALWAYS, conditionsOf(rule), (_decision, call) =>
    AMOUNTS.some(([mine, theirs]) => {
      const both = withArgument(withArgument(call, one.path, mine), other.path, theirs);
      const decision = search.decide(both);
      if (decision === undefined || matchOf(decision, rule.id) !== "true") return false;
      example = both;
      return true;
    }),
  );
  if (example === undefined) return [];
  const message = `${quote(printCel(mixed.expr))} takes ${one.currency.toUpperCase()} for ${other.currency.toUpperCase()}; a limit is for one currency, and each wants its own`;
  return [{ code: "mixed-currency", span: rule.span, rule, message, example }];
}

const AMOUNTS = [
  [1, 2],
  [2, 1],
  [1, 1],
  [1_000, 1],
] as const;

interface Amount {
  readonly path: Path;
  readonly currency: string;
}

interface Mixture {
  readonly expr: Expr;
  readonly one: Amount;
  readonly other: Amount;
}

const MIXING = new Set(["+", "-", "<", "<=", ">", ">=", "==", "!="]);

/** The innermost places where two currencies meet. */
function mixtures(expr: Expr): readonly Mixture[] {
  const inner = childrenOf(expr).flatMap(mixtures);
  if (inner.length > 0 || expr.kind !== "binary" || !MIXING.has(expr.operator)) return inner;
  const [one] = amountsIn(expr.left);
  const other = amountsIn(expr.right).find(({ currency }) => currency !== one?.currency);
  return one === undefined || other === undefined ? [] : [{ expr, one, other }];
}

/** Of what is added up: a rate that is multiplied with changes the currency. */
function amountsIn(expr: Expr): readonly Amount[] {
  const path = plainPath(expr);
  if (path !== null) {
    const currency = path[0] === "args" ? CURRENCY.exec(wordsOf(path))?.[1] : undefined;
    return currency === undefined ? [] : [{ path, currency }];
  }
  const sums = expr.kind === "binary" && (expr.operator === "+" || expr.operator === "-");
  return sums ? [...amountsIn(expr.left), ...amountsIn(expr.right)] : [];
}
