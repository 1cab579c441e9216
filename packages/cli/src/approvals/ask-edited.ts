/** Asks on a terminal for each argument that may be changed, by what the tool's schema says of it. */
import type { Readable, Writable } from "node:stream";
import { isCancel, log, multiselect, select, text } from "@clack/prompts";
import {
  choicesOf,
  chosenTexts,
  type FormField,
  type FormTerms,
  fieldText,
  formFields,
  isChosen,
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
export async function askEdited(args: Json, terms: FormTerms, terminal: Terminal = {}): Promise<Json | undefined> {
  let edited = args;
  for (const field of formFields(args, terms)) {
    if (!isTypeable(field)) {
      // Typed text goes to the terminal as it is, and what cannot be shown cannot be edited by sight.
      log.warn(`${short(field.path, 60)} holds characters that cannot be shown; change it with \`approve --args\``, {
        ...terminal,
      });
      continue;
    }
    const typed = await ask(field, terminal);
    if (typeof typed === "symbol") return undefined;
    const value = typedValue(field, typed);
    if ("value" in value) edited = withValue(edited, field.path, value.value);
  }
  return edited;
}

function ask(field: FormField, terminal: Terminal): Promise<string | string[] | symbol> {
  if (!isChosen(field)) return type(field, terminal);
  return field.type === "enums" ? chooseSeveral(field, terminal) : choose(field, terminal);
}

/** Asked again until what was chosen fits. */
async function chooseSeveral(field: FormField, terminal: Terminal): Promise<string[] | symbol> {
  for (let said = ""; ; ) {
    const chosen = await multiselect({
      message: `${messageOf(field)}${said}`,
      options: choicesOf(field).map(({ text: value }) => ({ value, label: value })),
      initialValues: [...chosenTexts(field)],
      required: false,
      maxItems: 12,
      ...terminal,
    });
    if (isCancel(chosen)) return chosen;
    const value = typedValue(field, chosen);
    if (!("message" in value)) return chosen;
    said = `\n${printable(value.message)}`;
  }
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
