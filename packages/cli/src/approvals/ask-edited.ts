/** Asks on a terminal for each argument that may be changed, by what the tool's schema says of it. */
import type { Readable, Writable } from "node:stream";
import { log, select, text } from "@clack/prompts";
import {
  type ApprovalRecord,
  choicesOf,
  type FormField,
  fieldText,
  formFields,
  isTypeable,
  type Json,
  typedValue,
} from "@saferun/core";
import { printable, short } from "../output/printable.ts";
import { withValue } from "./edit.ts";

/** The process's own, but for tests. */
export interface Terminal {
  readonly input?: Readable;
  readonly output?: Writable;
}

/** Undefined when the person gave up. */
export async function askEdited(
  args: Json,
  terms: Pick<ApprovalRecord, "editable" | "form">,
  terminal: Terminal = {},
): Promise<Json | undefined> {
  let edited = args;
  for (const field of formFields(args, terms)) {
    if (!isTypeable(field)) {
      // Typed text goes to the terminal as it is, and what cannot be shown cannot be edited by sight.
      log.warn(`${short(field.path, 60)} holds characters that cannot be shown; change it with \`approve --args\``, {
        ...terminal,
      });
      continue;
    }
    const typed = isChoice(field) ? await choose(field, terminal) : await type(field, terminal);
    if (typeof typed === "symbol") return undefined;
    const value = typedValue(field, typed);
    if ("value" in value) edited = withValue(edited, field.path, value.value);
  }
  return edited;
}

function isChoice(field: FormField): boolean {
  const choices = choicesOf(field);
  return choices.length > 0 && choices.every(isTypeable);
}

function choose(field: FormField, terminal: Terminal): Promise<string | symbol> {
  const choices = choicesOf(field).map(({ text }) => ({ value: text, label: text }));
  const nothing = field.nullable === true || field.text === "" ? [{ value: "", label: "(nothing)" }] : [];
  return select({
    message: messageOf(field),
    options: [...choices, ...nothing],
    initialValue: field.text,
    maxItems: 12,
    ...terminal,
  });
}

function type(field: FormField, terminal: Terminal): Promise<string | symbol> {
  return text({
    message: messageOf(field),
    initialValue: field.text,
    validate: (typed) => {
      const value = typedValue(field, typed ?? "");
      return "message" in value ? printable(value.message) : undefined;
    },
    ...terminal,
  });
}

/** The path first: what stands behind it is the text of whoever made the tool. */
function messageOf(field: FormField): string {
  const { description, label, path } = field;
  const title = label === path ? "" : ` — ${short(label, 60)}`;
  const about = description === undefined ? "" : `\n${short(description, 300)}`;
  return `${short(path, 60)}${title} (${fieldText(field)})${about}`;
}
