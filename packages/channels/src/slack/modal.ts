/** The edit form: a field for each argument that may be changed, and the whole call above it. */
import type { ApprovalRecord, JsonObject } from "@saferun/core";
import type { InputBlock, ModalView } from "@slack/types";
import type { Answer } from "../answer.ts";
import { type Field, fieldsOf, isTypeable, type Mistake, type Typed, typedArguments } from "../edit-form.ts";
import { textAt } from "../json-body.ts";
import { short } from "../shown.ts";
import { argumentBlock, CARD_CHARACTERS } from "./card.ts";

export const EDIT_FORM = "saferun.edit-form";
const VALUE = "value";
/** What Slack holds in one field, and in one form beside the call itself. */
const FIELD_CHARACTERS = 3_000;
const MOST_FIELDS = 90;

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

function input(field: Field, index: number): InputBlock {
  const long = field.text.includes("\n") || field.text.length > 80;
  const hint =
    field.typedAs === "json" ? "JSON: numbers as they are, texts in straight double quotes" : "text, as it is";
  return {
    type: "input",
    block_id: blockOf(index),
    optional: field.value === undefined || field.text === "",
    label: { type: "plain_text", text: short(field.path, 150), emoji: false },
    hint: { type: "plain_text", text: hint },
    element: {
      type: "plain_text_input",
      action_id: VALUE,
      multiline: long || (typeof field.value === "object" && field.value !== null),
      ...(field.text === "" ? {} : { initial_value: field.text }),
    },
  };
}

/** The submitted form as arguments. Fields that Slack does not send are empty; unknown ones are ignored. */
export function submitted(approval: ApprovalRecord, values: JsonObject): Typed {
  const typed = new Map<string, string>();
  for (const [index, field] of fieldsOf(approval).entries()) {
    typed.set(field.path, textAt(values, blockOf(index), VALUE, "value") ?? "");
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
export function answerReply(answer: Answer): JsonObject {
  const view = {
    type: "modal",
    title: { type: "plain_text", text: answer.answer === "applied" ? "Done" : "Not decided" },
    close: { type: "plain_text", text: "Close" },
    blocks: [{ type: "section", text: { type: "plain_text", text: short(answer.message, 2_000), emoji: false } }],
  };
  return { response_action: "update", view };
}

function blockOf(index: number): string {
  return `saferun.field.${index}`;
}
