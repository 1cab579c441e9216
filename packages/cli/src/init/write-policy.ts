/**
 * A first policy as text: what is not named is denied, what surely only reads runs, everything else asks a person. Each tool
 * has its schema and a test, and each number a limit to uncomment.
 */
import type { Json, JsonObject } from "@saferun/core";
import { printableJson, short } from "../output/printable.ts";
import type { Found, FoundTool, NumberArgument } from "./found-tool.ts";

export interface Written {
  readonly text: string;
  /** Tools that no rule can name, and why. */
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
}

const COMMENT = 120;
const NAME_LENGTH = 256;
/** Limits that are suggested for one tool. */
const LIMITS_SHOWN = 3;

export function writePolicy({ source, tools }: Found): Written {
  const { named, leftOut } = nameable(tools);
  const ids = ruleIds(named);
  const reads = named.filter(({ kind }) => kind === "read");
  const asking = named.filter(({ kind }) => kind !== "read");
  const sections = [
    head(source),
    FRAME,
    named.length === 0 ? EXAMPLE : section("tools", TOOLS_HEAD, named.flatMap(toolLines)),
    ...(named.length === 0
      ? []
      : [
          section("rules", "", [...(reads.length > 0 ? READS : []), ...asking.flatMap((tool) => ruleLines(tool, ids))]),
        ]),
    section("tests", TESTS_HEAD, [...named.flatMap((tool) => testLines(tool, ids)), ...deniedTest(named)]),
  ];
  return { text: sections.join("\n"), leftOut };
}

function head(source: string): string {
  return `# A first policy, written by \`saferun init\` from ${short(source, COMMENT)}.
# What it does not name is denied. Tools run without a question only where the source itself proves that they do nothing but
# read. For every other call a person is asked. Read it, correct the kinds, then loosen it rule by rule.
saferun: policy/v1
`;
}

const FRAME = `environments:
  prod: { unmatched: deny }
  # Decide and record, stop nothing: for a machine on which the tools cannot hurt anybody.
  # dev: { unmatched: deny, mode: observe }

# Who is asked, and for how long. Silence denies.
routes:
  default: { to: [dashboard, cli], roles: [approver], within: 1h }
`;

const EXAMPLE = `# tools:
#   refund: { kind: write }
#
# rules:
#   - id: refund.small
#     tool: refund
#     when: args.amount > 0 && args.amount <= 10000
#     then: allow
#     else: pause
#     reason: Refunds over $100 need a person.
`;

const TOOLS_HEAD = `# What the tools do: read, write, destructive, or none. Only you say so: a tool's name and a server's own hints count for nothing.
# An argument that a tool's schema does not describe is refused, and so is one of another type.
`;

const TESTS_HEAD = `# Run by \`saferun test\`, and before a changed file comes into force.
`;

const READS = ["- id: reads", "  kind: read", "  then: allow", ""];

function section(key: string, comment: string, lines: readonly string[]): string {
  const body = lines.map((line) => (line === "" ? "" : `  ${line}`)).join("\n");
  return `${comment}${key}:\n${body.trimEnd()}\n`;
}

function toolLines({ name, kind, why, description, schema }: FoundTool): readonly string[] {
  const said =
    description === undefined || description.trim() === "" ? [] : [`# ${short(firstLine(description), COMMENT)}`];
  if (schema === undefined) return [...said, `${scalar(name)}: { kind: ${kind} } # ${short(why, COMMENT)}`];
  return [
    ...said,
    `${scalar(name)}:`,
    `  kind: ${kind} # ${short(why, COMMENT)}`,
    "  schema:",
    ...Object.entries(schema).flatMap(([keyword, value]) => schemaLines(keyword, value)),
  ];
}

/** One argument a line, so that a reviewer sees them and a change of one is a change of its line. */
function schemaLines(keyword: string, value: Json): readonly string[] {
  const properties = keyword === "properties" ? Object.entries(value as JsonObject) : [];
  if (properties.length === 0)
    return [`    ${scalar(keyword)}: ${typeof value === "string" ? scalar(value) : flow(value)}`];
  return [`    ${keyword}:`, ...properties.map(([name, schema]) => `      ${scalar(name)}: ${flow(schema)}`)];
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]?.trim() ?? "";
}

function ruleLines(tool: FoundTool, ids: ReadonlyMap<string, string>): readonly string[] {
  const id = ids.get(tool.name) ?? "";
  const what = tool.kind === "write" ? "changes something" : "may do what cannot be undone";
  const limits = tool.numbers.slice(0, LIMITS_SHOWN);
  return [
    `- id: ${scalar(id)}`,
    `  tool: ${scalar(tool.name)}`,
    "  then: pause",
    ...(limits.length === 0 ? [] : [`  approval: { show: [${limits.map(({ path }) => path).join(", ")}] }`]),
    `  reason: ${scalar(`${tool.name} ${what}; a person looks at each call.`)}`,
    ...(limits.length === 0 ? [] : suggestion(limits)),
    "",
  ];
}

/** In comments: which numbers are harmless is not for a program to say. */
function suggestion(limits: readonly NumberArgument[]): readonly string[] {
  const conditions = limits.map(({ path, max }) => `args.${path} > 0 && args.${path} <= ${max ?? "100"}`);
  const known = limits.filter(({ max }) => max !== undefined).map(({ path }) => path);
  const from = known.length === 0 ? "choose the limits" : `the largest known ${known.join(", ")}; choose your own`;
  return [
    `  # Instead of \`then: pause\`, to ask only above a limit (${from}):`,
    `  # when: ${conditions.join(" && ")}`,
    "  # then: allow",
    "  # else: pause",
  ];
}

function testLines(tool: FoundTool, ids: ReadonlyMap<string, string>): readonly string[] {
  if (tool.untested === true)
    return [`# ${short(tool.name, COMMENT)} has no test: write a call that its schema takes.`];
  const reads = tool.kind === "read";
  const [verdict, rule] = reads ? ["allow", "reads"] : ["pause", ids.get(tool.name) ?? ""];
  return [
    `- name: ${scalar(`${tool.name} ${reads ? "runs" : "asks a person"}`)}`,
    "  env: prod",
    `  call: { tool: ${scalar(tool.name)}, args: ${flow(tool.sample)} }`,
    `  expect: { then: ${verdict}, by: [${scalar(rule)}] }`,
  ];
}

function deniedTest(named: readonly FoundTool[]): readonly string[] {
  const names = new Set(named.map(({ name }) => name));
  let other = "another.tool";
  while (names.has(other)) other += "_";
  return [
    "- name: what is not named here is denied",
    "  env: prod",
    `  call: { tool: ${other}, args: {} }`,
    '  expect: { then: deny, by: ["unmatched:prod"] }',
  ];
}

/** A rule names each of these, and no other tool by it. */
function nameable(tools: readonly FoundTool[]): { named: readonly FoundTool[]; leftOut: Written["leftOut"] } {
  const seen = new Map<string, string>();
  const named: FoundTool[] = [];
  const leftOut: { name: string; why: string }[] = [];
  for (const tool of tools) {
    const name = tool.name.normalize("NFC");
    const twin = seen.get(name.normalize("NFKC").toLowerCase());
    const why =
      name.length > NAME_LENGTH || !name.isWellFormed() || /[\p{Cc}\p{Cf}]/u.test(name)
        ? "its name is too long or has invisible characters"
        : name.includes("*")
          ? "its name has a `*`, which would mean other tools too"
          : twin !== undefined
            ? `its name differs from \`${twin}\` in nothing but case or spelling`
            : undefined;
    if (why !== undefined) leftOut.push({ name, why });
    else {
      seen.set(name.normalize("NFKC").toLowerCase(), name);
      named.push({ ...tool, name });
    }
  }
  return { named, leftOut };
}

/** Tool → the id of its rule: its own name where that can be one. */
function ruleIds(tools: readonly FoundTool[]): ReadonlyMap<string, string> {
  const taken = new Set(["reads"]);
  return new Map(
    tools.map(({ name }) => {
      const plain = name.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 200);
      let id = plain;
      for (let number = 2; taken.has(id.toLowerCase()); number++) id = `${plain}-${number}`;
      taken.add(id.toLowerCase());
      return [name, id] as const;
    }),
  );
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
/** Plain words that some reader of YAML takes for something else than a text. */
const WORDS: ReadonlySet<string> = new Set(["true", "false", "null", "yes", "no", "on", "off", "y", "n"]);

/** A text in YAML: as it is, or in quotes, with everything invisible written out. */
function scalar(text: string): string {
  return PLAIN.test(text) && !WORDS.has(text.toLowerCase()) ? text : printableJson(JSON.stringify(text));
}

/** JSON is YAML. */
function flow(value: Json): string {
  return printableJson(JSON.stringify(value));
}
