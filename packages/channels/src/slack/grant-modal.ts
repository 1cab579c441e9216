/** "Approve, and the same recipient for one hour up to 50": what is permitted beside the call, chosen and never typed freely. */
import {
  type ApprovalRecord,
  GRANT_DEFAULT,
  GRANT_WINDOW_TEXTS,
  GRANT_WINDOWS,
  type GrantChoice,
  type GrantField,
  type GrantMistake,
  type JsonObject,
  offerText,
  proposedGrant,
} from "@saferun/core";
import type { InputBlock, ModalView, PlainTextElement } from "@slack/types";
import { textAt } from "../json-body.ts";
import { short } from "../shown.ts";
import { argumentBlock, CARD_CHARACTERS } from "./card.ts";

export const GRANT_FORM = "saferun.grant-form";
const VALUE = "value";

/** Undefined: nothing is offered, or the arguments do not fit into a form whole. */
export function grantForm(approval: ApprovalRecord, metadata: string): ModalView | undefined {
  const { grantOffer: offer } = approval;
  const call = argumentBlock(approval);
  if (offer === undefined || JSON.stringify(call).length > CARD_CHARACTERS) return undefined;
  const before = proposedGrant(approval);
  const window = Object.keys(GRANT_WINDOWS).find((name) => GRANT_WINDOWS[name] === before?.forMs);
  const options = Object.keys(GRANT_WINDOWS).map((value) => ({
    text: plain(GRANT_WINDOW_TEXTS[value] ?? value),
    value,
  }));
  const initial = options.find(({ value }) => value === (window ?? GRANT_DEFAULT.for));
  const { amount } = offer;
  return {
    type: "modal",
    callback_id: GRANT_FORM,
    private_metadata: metadata,
    title: plain("Approve and permit"),
    submit: plain("Approve"),
    close: plain("Cancel"),
    blocks: [
      call,
      { type: "section", text: plain(short(`Calls like this one are not asked about: ${offerText(offer)}`, 3_000)) },
      input("for", "For how long", {
        type: "static_select",
        action_id: VALUE,
        options,
        ...(initial === undefined ? {} : { initial_option: initial }),
      }),
      input("count", "How many more calls", number(String(before?.count ?? GRANT_DEFAULT.count))),
      ...(amount === undefined
        ? []
        : [input("most", short(`How much ${amount}, over all of them`, 150), number(String(before?.sum?.most ?? "")))]),
    ],
  };
}

export function submittedGrant({ grantOffer }: ApprovalRecord, values: JsonObject): GrantChoice {
  const typed = (field: GrantField) => textAt(values, blockOf(field), VALUE, "value") ?? "";
  return {
    for: textAt(values, blockOf("for"), VALUE, "selected_option", "value") ?? "",
    count: typed("count"),
    ...(grantOffer?.amount === undefined ? {} : { most: typed("most") }),
  };
}

/** Keeps the form open, each mistake below its field. */
export function grantMistakesReply(mistakes: readonly GrantMistake[]): JsonObject {
  const errors = mistakes.map(({ field, message }) => [blockOf(field), short(message, 200)]);
  return { response_action: "errors", errors: Object.fromEntries(errors) };
}

function input(field: GrantField, label: string, element: InputBlock["element"]): InputBlock {
  return { type: "input", block_id: blockOf(field), label: plain(label), element };
}

function number(initial: string): InputBlock["element"] {
  return {
    type: "number_input",
    action_id: VALUE,
    is_decimal_allowed: false,
    min_value: "1",
    ...(initial === "" ? {} : { initial_value: initial }),
  };
}

function plain(text: string): PlainTextElement {
  return { type: "plain_text", text, emoji: false };
}

function blockOf(field: GrantField): string {
  return `saferun.grant.${field}`;
}
