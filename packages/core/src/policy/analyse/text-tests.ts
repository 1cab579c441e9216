/** Tests of texts that others can bend: `suffix-match` on hosts and mail addresses, `prefix-match` on commands, SQL and URLs. */
import { childrenOf, type Expr } from "../cel/ast.ts";
import { printCel } from "../cel/print.ts";
import { quote } from "../issue.ts";
import type { RuleModel } from "../model.ts";
import { lookedAt, passing, type TextTest, textTest } from "./candidates.ts";
import type { AnalysisCode } from "./codes.ts";
import { type Analysis, conditionsOf, type Finding, STRICTNESS } from "./findings.ts";
import { ALWAYS, product, TRUE } from "./region.ts";
import { withArgument } from "./search.ts";
import { type ExampleCall, matchOf, verdictOf } from "./trial.ts";

const MAIL = /(?:^|_)(?:to|cc|bcc|from|e?mails?|recipients?|senders?|address(?:es)?)$/;
const HOST = /(?:^|_)(?:hosts?|hostname|domains?|urls?|uris?|endpoints?|links?|webhooks?|sites?)$/;
const SHELL = /(?:^|_)(?:commands?|cmd|shell|scripts?|bash|exec)$/;
const SQL = /(?:^|_)(?:sql|statements?)$/;
const QUERY = /(?:^|_)query$/;
const SQL_WORD = /^\W*(?:select|insert|update|delete|with|show|explain|merge)\b/i;

const TEXT_TEST = /startsWith|endsWith|contains|matches/;

type Subject = "mail" | "host" | "shell" | "sql";

/** A test of a text, and the argument that it looks at. */
interface Tested {
  readonly expr: Expr;
  readonly test: TextTest;
  readonly path: readonly string[];
  /** The argument is a list, and each of its items is tested. */
  readonly inList: boolean;
}

export function textTests(analysis: Analysis): readonly Finding[] {
  return analysis.model.rules.flatMap((rule) => {
    if (rule.condition === null || rule.observe || !analysis.mayHold(rule, TEXT_TEST)) return [];
    const all = testsIn(rule.condition.expr, NO_LISTS, []);
    if (all.length === 0) return [];
    const found = new Map<string, Finding>();
    for (const tested of all) {
      const subject = subjectOf(tested);
      const finding = subject === undefined ? undefined : judge(analysis, rule, tested, subject);
      if (finding !== undefined) found.set(`${finding.code} ${tested.path.join(".")}`, finding);
    }
    return [...found.values()];
  });
}

/** By macro variable: the list that it runs over. */
type Lists = ReadonlyMap<string, readonly string[]>;
const NO_LISTS: Lists = new Map();

function testsIn(expr: Expr, lists: Lists, into: Tested[]): readonly Tested[] {
  const own = expr.kind === "call" ? testedBy(expr, lists) : undefined;
  if (own !== undefined) into.push(own);
  const range = expr.kind === "macro" ? lookedAt(expr.range) : null;
  const inner = expr.kind === "macro" && range !== null ? new Map(lists).set(expr.variable, range) : lists;
  for (const child of childrenOf(expr)) testsIn(child, inner, into);
  return into;
}

function testedBy(
  call: Extract<Expr, { kind: "call" }>,
  lists: ReadonlyMap<string, readonly string[]>,
): Tested | undefined {
  const test = textTest(call);
  if (test === undefined) return undefined;
  let root: Expr = test.subject;
  while (root.kind === "call" && root.target !== null) root = root.target;
  const list = root.kind === "identifier" ? lists.get(root.name) : undefined;
  if (list !== undefined) return { expr: call, test, path: list, inList: true };
  const path = lookedAt(test.subject);
  return path === null || path[0] !== "args" ? undefined : { expr: call, test, path, inList: false };
}

/** What the argument is, by its name: this much is a guess, which the example then has to bear out. */
function subjectOf({ path, test }: Tested): Subject | undefined {
  const name = (path.at(-1) ?? "").replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
  if (MAIL.test(name) || test.literal.startsWith("@")) return "mail";
  if (HOST.test(name)) return "host";
  if (SHELL.test(name)) return "shell";
  return SQL.test(name) || (QUERY.test(name) && SQL_WORD.test(test.literal)) ? "sql" : undefined;
}

function judge(analysis: Analysis, rule: RuleModel, tested: Tested, subject: Subject): Finding | undefined {
  const code = codeOf(tested.test, subject);
  if (code === undefined) return undefined;
  const example =
    rule.verdict === "allow"
      ? letThrough(analysis, rule, tested, subject)
      : slippedPast(analysis, rule, tested, subject);
  if (example === undefined) return undefined;
  const shown = quote(printCel(tested.expr));
  const message = `${shown} does not say ${MEANT[subject]}: the example passes it; ${ADVICE[subject]}`;
  return { code, span: rule.span, rule, message, example };
}

const MEANT: Readonly<Record<Subject, string>> = {
  mail: "to which domain a mail goes",
  host: "which host is meant",
  shell: "which command runs",
  sql: "which statements run",
};
const ADVICE: Readonly<Record<Subject, string>> = {
  mail: "use `inDomain(domain(…), …)`",
  host: "use `inDomain(host(…), …)`",
  shell: "take the command apart with `shell(…)`, or list whole commands",
  sql: "take the statement apart with `sql(…)`, or list whole statements",
};

function codeOf({ name }: TextTest, subject: Subject): AnalysisCode | undefined {
  const starts = name === "startsWith";
  if (subject === "shell" || subject === "sql") return name === "endsWith" ? undefined : "prefix-match";
  if (subject === "host") return starts ? "prefix-match" : "suffix-match";
  return starts ? undefined : "suffix-match";
}

/** A foreign text that an allow rule lets through. */
function letThrough(analysis: Analysis, rule: RuleModel, tested: Tested, subject: Subject): ExampleCall | undefined {
  const { search, claims } = analysis;
  const setting = search.settingOf(rule);
  if (setting === undefined) return undefined;
  const regions = analysis.undisturbed(claims.scoped(rule, TRUE) ?? ALWAYS, setting.tool, [rule]);
  let example: ExampleCall | undefined;
  search.find(setting, regions, conditionsOf(rule), (_decision, call) =>
    attacks(tested.test, subject).some((text) => {
      const bent = withArgument(call, tested.path, tested.inList ? [text] : text);
      const decision = search.decide(bent);
      if (decision === undefined || matchOf(decision, rule.id) !== "true" || verdictOf(decision) === "deny")
        return false;
      example = bent;
      return true;
    }),
  );
  return example;
}

/** A text that a deny or pause rule should match and does not, beside a plain one that it does match. */
function slippedPast(analysis: Analysis, rule: RuleModel, tested: Tested, subject: Subject): ExampleCall | undefined {
  const { search, claims, index } = analysis;
  const setting = search.settingOf(rule);
  if (setting === undefined || subject === "shell" || subject === "sql") return undefined;
  const matches = claims.scoped(rule, TRUE) ?? ALWAYS;
  const others = index.of(setting.tool).filter((other) => other !== rule && !other.observe && other.verdict !== "deny");
  const permitted = others.flatMap((other) => product([matches, claims.regions(other, TRUE)]) ?? []);
  const regions = analysis.undisturbed([...permitted, ...matches].slice(0, 64), setting.tool, [rule, ...others]);
  const own = passing(tested.test);
  const bent = [...attacks(tested.test, subject), ...own.flatMap((text) => [text.toUpperCase(), `${text}.`])];
  const plain = ["eve@evil.example", "https://evil.example/", "evil.example", ...own];
  let example: ExampleCall | undefined;
  search.find(setting, regions, conditionsOf(rule, ...others.slice(0, 8)), (_decision, call) => {
    const ask = (text: string) => {
      const one = withArgument(call, tested.path, tested.inList ? [text] : text);
      return { one, decision: search.decide(one) };
    };
    const caught = plain.map(ask).find(({ decision }) => decision && matchOf(decision, rule.id) === "true")?.decision;
    if (caught === undefined) return false;
    const missed = bent
      .map(ask)
      .find(
        ({ decision }) =>
          decision !== undefined &&
          matchOf(decision, rule.id) === "false" &&
          STRICTNESS[verdictOf(decision)] < STRICTNESS[verdictOf(caught)],
      );
    example = missed?.one;
    return example !== undefined;
  });
  return example;
}

/** Texts that pass the test and are not what it means. */
function attacks(test: TextTest, subject: Subject): readonly string[] {
  const { name, literal } = test;
  if (subject === "shell") return passing(test).flatMap((text) => [`${text}; rm -rf /`, `${text}\nrm -rf /`]);
  if (subject === "sql")
    return passing(test).flatMap((text) => [`${text} 1; DROP TABLE users`, `${text};\nDROP TABLE users`]);
  if (name === "startsWith") return literal.endsWith("/") ? [] : [`${literal}.evil.example/`];
  const domain = name === "matches" ? domainIn(literal) : literal;
  if (domain === undefined) return [];
  const bare = domain.replace(/^[@.]/, "");
  // In a pattern an unescaped dot is any character.
  const loose = name === "matches" ? [`x@${bare.replaceAll(".", "x")}`, bare.replaceAll(".", "x")] : [];
  const mails = [
    `eve@evil.example,x@${bare}`,
    `eve@evil${bare}`,
    `x@${bare}.evil.example`,
    `eve@evil.example?x@${bare}`,
  ];
  const hosts = [
    `https://evil.example/${domain}`,
    `https://${bare}.evil.example/`,
    `evil${bare}`,
    `${bare}.evil.example`,
    `https://evil${bare}/`,
  ];
  return [...(subject === "mail" ? mails : hosts), ...loose];
}

/** `@acme\.com$` → `acme.com`. */
function domainIn(pattern: string): string | undefined {
  const plain = pattern.replaceAll("\\.", ".").replaceAll("[.]", ".");
  return /[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/.exec(plain)?.[0];
}
