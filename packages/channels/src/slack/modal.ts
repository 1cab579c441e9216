/** The edit form: a field for each argument that may be changed, and the whole call above it. */
import type { ApprovalRecord, JsonObject } from "@saferun/core";
import type { InputBlock, ModalView } from "@slack/types";
import type { Answer } from "../answer.ts";
import { type Field, fieldsOf, isTypeable, type Mistake, type Typed, typedArguments } from "../edit-form.ts";
import { textAt } from "../json-body.ts";
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
    title: { type: "plain_text", text: titleOf(answer) },
    close: { type: "plain_text", text: "Close" },
    blocks: [{ type: "section", text: { type: "plain_text", text: short(answer.message, 2_000), emoji: false } }],
  };
  return { response_action: "update", view };
}

function titleOf({ answer, approval }: Answer): string {
  if (answer !== "applied") return "Not decided";
  return approval?.state === "pending" ? "Recorded" : "Done";
}

function blockOf(index: number): string {
  return `saferun.field.${index}`;
}
