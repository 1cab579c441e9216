/** The policy format as Markdown, derived from its definition. */
import { POLICY_FORMAT } from "./format.ts";
import { type Field, PATTERNS, type Shape } from "./shape.ts";

type Fields = Readonly<Record<string, Field>>;

/** One section for each map of the format, with a table of its keys. */
export function renderReference(): string {
  const sections: string[] = [];
  renderObject("Policy file", POLICY_FORMAT.fields, sections);
  return `${sections.join("\n\n")}\n`;
}

function renderObject(title: string, fields: Fields, sections: string[]): void {
  const inner: [string, Fields][] = [];
  const rows = Object.entries(fields).map(([key, field]) => {
    for (const nested of objectsIn(field.shape))
      inner.push([`${title === "Policy file" ? "" : `${title} → `}\`${key}\``, nested]);
    return `| \`${key}\` | ${field.use === "reserved" ? "–" : describe(field.shape)} | ${docOf(field)} |`;
  });
  sections.push(`## ${title}\n\n| key | value | meaning |\n| --- | --- | --- |\n${rows.join("\n")}`);
  for (const [name, nested] of inner) renderObject(name, nested, sections);
}

function docOf(field: Field): string {
  switch (field.use) {
    case "required":
      return `**Required.** ${field.doc}`;
    case "optional":
      return field.doc;
    case "reserved":
      return `*Not available in this version.* ${field.doc}`;
  }
}

function objectsIn(shape: Shape): readonly Fields[] {
  switch (shape.type) {
    case "object":
      return [shape.fields];
    case "list":
    case "some":
      return objectsIn(shape.item);
    case "map":
      return objectsIn(shape.value);
    case "either":
      return [...objectsIn(shape.scalar), ...objectsIn(shape.other)];
    default:
      return [];
  }
}

function describe(shape: Shape): string {
  switch (shape.type) {
    case "text":
      return "text";
    case "expression":
      return "CEL";
    case "time":
      return "RFC 3339 time";
    case "number":
      return "number";
    case "amount":
      return 'whole number, or decimal text (`"12.50"`)';
    case "flag":
      return "`true` or `false`";
    case "duration":
      return "duration (`90s`, `30m`, `4h`, `7d`)";
    case "json":
      return "any data";
    case "name":
      return PATTERNS[shape.pattern].says;
    case "words":
      return shape.words.map((word) => `\`${word}\``).join(", ");
    case "integer":
      return shape.min === shape.max ? `\`${shape.min}\`` : `whole number from ${shape.min}`;
    case "list":
      return `list of ${describe(shape.item)}`;
    case "some":
      return `one or a list of: ${describe(shape.item)}`;
    case "map":
      return `map of name → ${describe(shape.value)}`;
    case "object":
      return "map";
    case "either":
      return `${describe(shape.scalar)}, or ${describe(shape.other)}`;
  }
}
