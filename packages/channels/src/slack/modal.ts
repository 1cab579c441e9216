/** The edit form: a field for each argument that may be changed, and the whole call above it. */
import {
  type Answered,
  type ApprovalRecord,
  choicesOf,
  chosenTexts,
  type FormField,
  fieldsOf,
  fieldText,
  isTypeable,
  type Json,
  type JsonObject,
  type Mistake,
  type Typed,
  typedArguments,
  unitHint,
} from "@saferun/core";
import type { InputBlock, ModalView, PlainTextElement, PlainTextOption } from "@slack/types";
import { at, textAt } from "../json-body.ts";
import { short } from "../shown.ts";
import { argumentBlock, CARD_CHARACTERS } from "./card.ts";

export const EDIT_FORM = "saferun.edit-form";
export const DENY_FORM = "saferun.deny-form";
const VALUE = "value";
const NOTE_CHARACTERS = 2_000;
/** What Slack holds in one field, and in one form beside the call itself. */
const FIELD_CHARACTERS = 3_000;
const MOST_FIELDS = 90;

/** A reason for the agent, beside the denial. */
export function denyForm(approval: ApprovalRecord, metadata: string): ModalView {
  return {
    type: "modal",
    callback_id: DENY_FORM,
    private_metadata: metadata,
    title: { type: "plain_text", text: "Deny" },
    submit: { type: "plain_text", text: "Deny" },
    close: { type: "plain_text", text: "Cancel" },
    blocks: [
      { type: "section", text: { type: "plain_text", text: `tool ${short(approval.tool, 256)}`, emoji: false } },
      {
        type: "input",
        block_id: blockOf(0),
        optional: true,
        label: { type: "plain_text", text: "Why" },
        hint: { type: "plain_text", text: "told to the agent" },
        element: { type: "plain_text_input", action_id: VALUE, multiline: true, max_length: NOTE_CHARACTERS },
      },
    ],
  };
}

export function submittedReason(values: JsonObject): string {
  return (textAt(values, blockOf(0), VALUE, "value") ?? "").trim().slice(0, NOTE_CHARACTERS).toWellFormed();
}

/** Undefined: these arguments do not fit into a form whole. */
export function editForm(approval: ApprovalRecord, metadata: string): ModalView | undefined {
  const fields = fieldsOf(approval);
  const call = argumentBlock(approval);
  if (fields.length > MOST_FIELDS || JSON.stringify(call).length > CARD_CHARACTERS) return undefined;
  if (fields.some((field) => field.text.length > FIELD_CHARACTERS || !isTypeable(field))) return undefined;
  return {
    type: "modal",
    callback_id: EDIT_FORM,
    private_metadata: metadata,
    title: { type: "plain_text", text: "Edit and approve" },
    submit: { type: "plain_text", text: "Approve edited" },
    close: { type: "plain_text", text: "Cancel" },
    blocks: [call, ...fields.map(input)],
  };
}

function input(field: FormField, index: number): InputBlock {
  return {
    type: "input",
    block_id: blockOf(index),
    optional:
      field.value === undefined ||
      field.text === "" ||
      field.nullable === true ||
      (field.type === "enums" && !field.minItems),
    label: plain(labelOf(field)),
    hint: plain(hintOf(field)),
    element: elementOf(field),
  };
}

/** The path first: what stands behind it is the text of whoever made the tool. */
function labelOf({ path, label }: FormField): string {
  return label === path ? short(path, 150) : `${short(path, 150)} — ${short(label, 80)}`;
}

function hintOf(field: FormField): string {
  const { description, described, type, unit, text } = field;
  const counted = unit === undefined ? "" : `; ${unitHint(unit, text)}`;
  const json = `JSON: numbers as they are, texts in straight double quotes${counted}`;
  const kind = type === "json" ? json : described ? fieldText(field) : `text, as it is${counted}`;
  return description === undefined ? kind : `${kind}; ${short(description, 300)}`;
}

function elementOf(field: FormField): InputBlock["element"] {
  const { text, type, value } = field;
  const options = optionsOf(field);
  if (options.length > 0 && type === "enums") {
    const chosen = chosenTexts(field);
    const initial = options.filter((option) => chosen.includes(option.text.text));
    return {
      type: "multi_static_select",
      action_id: VALUE,
      options,
      ...(initial.length === 0 ? {} : { initial_options: initial }),
    };
  }
  if (options.length > 0) {
    const initial = options.find((option) => (value === null ? option.value === NOTHING : option.text.text === text));
    return {
      type: "static_select",
      action_id: VALUE,
      options,
      ...(initial === undefined ? {} : { initial_option: initial }),
    };
  }
  if ((type === "integer" || type === "number") && (text === "" || PLAIN_NUMBER.test(text))) {
    return {
      type: "number_input",
      action_id: VALUE,
      is_decimal_allowed: type === "number",
      ...(text === "" ? {} : { initial_value: text }),
      ...boundsOf(field),
    };
  }
  const length = type === "string" ? (field.maxLength ?? 0) : 0;
  return {
    type: "plain_text_input",
    action_id: VALUE,
    multiline: text.includes("\n") || text.length > 80 || length > 80 || (typeof value === "object" && value !== null),
    // Slack counts otherwise than the schema: what stands there already has to fit in any case.
    ...(length > 0 && length <= FIELD_CHARACTERS && text.length <= length ? { max_length: length } : {}),
    ...(text === "" ? {} : { initial_value: text }),
  };
}

/** Without an exponent, as Slack takes it. */
const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/;
const MOST_OPTIONS = 100;
const OPTION_CHARACTERS = 75;
/** A choice is sent back as its place in the list: Slack holds less of a text than an argument may have. */
const NOTHING = "nothing";

/** Empty where it has to be typed: no choices, too many, or one that cannot be shown whole. */
function optionsOf(field: FormField): PlainTextOption[] {
  const choices = choicesOf(field);
  const options = choices.map(({ text }, index) => ({ text: plain(text), value: String(index) }));
  const shown = choices.every(
    ({ text }) => text.length <= OPTION_CHARACTERS && text.trim() !== "" && isTypeable({ text }),
  );
  if (!shown || options.length === 0 || options.length >= MOST_OPTIONS) return [];
  return field.nullable === true && field.type !== "enums"
    ? [...options, { text: plain("(nothing)"), value: NOTHING }]
    : options;
}

function chosenText(field: FormField, value: string): string {
  return choicesOf(field)[/^\d{1,3}$/.test(value) ? Number(value) : -1]?.text ?? "";
}

/** Slack refuses a form whose value lies outside. */
function boundsOf({ minimum, maximum, value }: FormField): { min_value?: string; max_value?: string } {
  const holds = (bound: number | undefined): bound is number => bound !== undefined && PLAIN_NUMBER.test(String(bound));
  const outside = typeof value === "number" && (value < (minimum ?? value) || value > (maximum ?? value));
  if (outside || (minimum !== undefined && maximum !== undefined && minimum > maximum)) return {};
  return {
    ...(holds(minimum) ? { min_value: String(minimum) } : {}),
    ...(holds(maximum) ? { max_value: String(maximum) } : {}),
  };
}

function plain(text: string): PlainTextElement {
  return { type: "plain_text", text, emoji: false };
}

/** The submitted form as arguments. Fields that Slack does not send are empty; unknown ones are ignored. */
export function submitted(approval: ApprovalRecord, values: JsonObject): Typed {
  const typed = new Map<string, string | readonly string[]>();
  for (const [index, field] of fieldsOf(approval).entries()) {
    const several = at(values, blockOf(index), VALUE, "selected_options");
    if (Array.isArray(several)) {
      const options = several as readonly Json[];
      typed.set(
        field.path,
        options.map((option) => chosenText(field, textAt(option, "value") ?? "")),
      );
      continue;
    }
    const chosen = textAt(values, blockOf(index), VALUE, "selected_option", "value");
    const text = textAt(values, blockOf(index), VALUE, "value");
    typed.set(field.path, chosen === undefined ? (text ?? "") : chosenText(field, chosen));
  }
  return typedArguments(approval, typed);
}

/** Keeps the form open, each mistake below its field. */
export function mistakesReply(approval: ApprovalRecord, mistakes: readonly Mistake[]): JsonObject {
  const fields = fieldsOf(approval);
  const errors: Record<string, string> = {};
  for (const { path, message } of mistakes) {
    const index = fields.findIndex((field) => field.path === path);
    errors[blockOf(Math.max(index, 0))] = short(message, 200);
  }
  return { response_action: "errors", errors };
}

/** Shows an answer in place of the form. */
export function answerReply(answer: Answered): JsonObject {
  const view = {
    type: "modal",
    title: { type: "plain_text", text: titleOf(answer) },
    close: { type: "plain_text", text: "Close" },
    blocks: [{ type: "section", text: { type: "plain_text", text: short(answer.message, 2_000), emoji: false } }],
  };
  return { response_action: "update", view };
}

function titleOf({ answer, approval }: Answered): string {
  if (answer !== "applied") return "Not decided";
  return approval?.state === "pending" ? "Recorded" : "Done";
}

function blockOf(index: number): string {
  return `saferun.field.${index}`;
}
