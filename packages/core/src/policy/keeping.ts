/** What `tools:` and `environments:` say of the record: read from their entries, and folded over all that a tool has. */
import { KEPT_WHOLE, type Keeping, type RecordMode, type Seal, stricterRecord, stricterSeal } from "../keeping.ts";
import type { ToolSource } from "./format.ts";
import { type Issues, quote } from "./issue.ts";
import type { DeclaredKeeping, EnvironmentModel, SchemaModel, ToolModel } from "./model.ts";
import { schemaAt } from "./schema/cel-type.ts";
import type { Located } from "./shape.ts";

/** All that a call holds. */
const WHOLE = "$";

export function declaredKeeping(
  tool: string,
  source: ToolSource,
  schema: SchemaModel | null,
  issues: Issues,
): DeclaredKeeping {
  const { record, search, index, subject, seal, span } = source;
  // A key that did not read was reported; what it requires may still be absent here.
  const off: readonly Located[] | undefined = typeof search === "object" ? search.off : undefined;
  for (const [key, list] of [
    ["index", index],
    ["search.off", off],
  ] as const) {
    if (list?.length === 0) issues.error("empty", span, `\`${key}\` of ${quote(tool)} is an empty list; remove it`);
  }
  for (const path of [...(index ?? []), ...(off ?? []), ...(subject === undefined ? [] : [subject])]) {
    checkPath(tool, path, schema, issues);
  }
  const hidden = search === "off" ? [WHOLE] : (off ?? []).map(pathOf);
  const both = (index ?? []).find((path) => hidden.some((one) => one === WHOLE || isWithin(pathOf(path), one)));
  if (both !== undefined) {
    const message = `${quote(both.value)} of ${quote(tool)} cannot be both in \`index\` and off for search; keep one`;
    issues.error("conflict", both.span, message);
  }
  return {
    record: record ?? null,
    unsearched: [...new Set(hidden)].sort(),
    indexed: [...new Set((index ?? []).map(pathOf))].sort(),
    subject: subject === undefined ? null : pathOf(subject),
    seal: seal ?? null,
  };
}

function checkPath(tool: string, path: Located, schema: SchemaModel | null, issues: Issues): void {
  const [first = ""] = pathOf(path).split(/[.[]/);
  if (schema === null || schema.args.kind !== "object" || schema.args.open) return;
  if (schemaAt(schema.schema, [first]) !== null) return;
  issues.error("unknown-arg", path.span, `${quote(tool)} has no argument ${quote(first)}`);
}

/** Entries of one tool add up: the stricter `record` holds, and only another subject is a conflict. */
export function joinedKeeping(one: DeclaredKeeping, other: DeclaredKeeping): DeclaredKeeping {
  const { record } = one;
  return {
    record: record === null || other.record === null ? (record ?? other.record) : stricterRecord(record, other.record),
    unsearched: [...new Set([...one.unsearched, ...other.unsearched])].sort(),
    indexed: [...new Set([...one.indexed, ...other.indexed])].sort(),
    subject: one.subject ?? other.subject,
    seal: stricterSeal(one.seal, other.seal),
  };
}

export function checkSubjects(a: ToolModel, b: ToolModel, issues: Issues): void {
  const [one, other] = [a.keeping.subject, b.keeping.subject];
  if (one === null || other === null || one === other) return;
  const { file, line, column } = a.span;
  issues.error(
    "conflict",
    b.span,
    `\`subject\` of ${quote(b.name)} is another one at ${file}:${line}:${column}; keep one`,
  );
}

/** Of a call of this tool there; the same object for all that are kept whole. */
export function keepingOf(tool: DeclaredKeeping, environment: KeptIn): Keeping {
  const { unsearched, subject } = tool;
  const record = stricterRecord(tool.record ?? "full", environment.record);
  const seal = stricterSeal(tool.seal, environment.seal);
  if (record === "full" && unsearched.length === 0 && subject === null && seal === null) return KEPT_WHOLE;
  return { record, unsearched, subject, ...(seal === null ? {} : { seal }) };
}

/**
 * How prompts and answers of models are sealed there: they repeat what tools get and give, and which of them is known only
 * afterwards, so that what holds for any tool holds for them.
 */
export function conversationSeals(
  tools: readonly Pick<ToolModel, "keeping">[],
  environments: readonly EnvironmentModel[],
): (environment: string) => Seal | null {
  const ofTools = tools.reduce<Seal | null>((seal, { keeping }) => stricterSeal(seal, keeping.seal), null);
  return (environment) => stricterSeal(ofTools, keptIn(environments, environment).seal);
}

/** What an environment says, whatever the tool. */
export interface KeptIn {
  readonly record: RecordMode;
  readonly seal: Seal | null;
}

/** An environment that nobody has declared keeps as little as the strictest. */
export function keptIn(environments: readonly EnvironmentModel[], name: string): KeptIn {
  const own = environments.find((environment) => environment.name === name);
  return own ?? environments.reduce<KeptIn>(stricter, { record: "full", seal: null });
}

function stricter(one: KeptIn, other: KeptIn): KeptIn {
  return { record: stricterRecord(one.record, other.record), seal: stricterSeal(one.seal, other.seal) };
}

export const NOTHING_DECLARED: DeclaredKeeping = Object.freeze({
  record: null,
  unsearched: Object.freeze([]),
  indexed: Object.freeze([]),
  subject: null,
  seal: null,
});

export function saysNothing(keeping: DeclaredKeeping): boolean {
  const { record, unsearched, indexed, subject, seal } = keeping;
  return record === null && subject === null && seal === null && unsearched.length + indexed.length === 0;
}

/** Left out where nothing is said of it, so that what was in force before it could be said is the same revision. */
export function keepingJson({ seal, ...keeping }: DeclaredKeeping): unknown {
  return seal === null ? keeping : { ...keeping, seal };
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

/** `args.to` and `to` are one path. */
function pathOf({ value }: Located): string {
  return value.replace(/^args\./, "");
}
