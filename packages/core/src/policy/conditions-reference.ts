/** The functions of conditions as Markdown, from their declarations and their manual. */
import { MANUAL, type ManualEntry } from "./cel/functions/manual.ts";
import { signatureOf } from "./cel/functions/overload.ts";
import { overloadsOf, RESERVED_FUNCTIONS } from "./cel/functions/table.ts";
import { MACRO_FORMS } from "./cel/macros.ts";

/** A section for each group, with a table of signatures, and what each function refuses. */
export function renderConditions(): string {
  const sections = MANUAL.map(
    ({ title, entries }) =>
      `## ${title}\n\n${Object.entries(entries)
        .map(([name, entry]) => renderFunction(name, entry))
        .join("\n\n")}`,
  );
  const macros = Object.entries(MACRO_FORMS).map(([name, form]) => `| \`${name}\` | \`${form}\` |`);
  const reserved = [...RESERVED_FUNCTIONS].map((name) => `\`${name}\``).join(", ");
  return `${[
    ...sections,
    `## Over lists\n\n| macro | example |\n| --- | --- |\n${macros.join("\n")}`,
    `## Not available in this version\n\n${reserved}, and the variable \`facts\`: their names are reserved.`,
  ].join("\n\n")}\n`;
}

function renderFunction(name: string, { says, refuses, example, value }: ManualEntry): string {
  const signatures = [...new Set(overloadsOf(name).map(signatureOf))]
    .map((signature) => `\`${signature}\``)
    .join(" · ");
  const errors = refuses === undefined ? "" : `\n\nErrors: ${refuses}.`;
  return `### ${name}\n\n${signatures}\n\n${says}${errors}\n\n\`\`\`cel\n${example}   // ${value}\n\`\`\``;
}
