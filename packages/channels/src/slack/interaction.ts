/** A click or a submitted form, as Slack says it over HTTP and over its socket alike. */
import type { Json, JsonObject } from "@saferun/core";
import type { Shown } from "../desk.ts";
import { at, isMap, jsonOf, textAt } from "../json-body.ts";
import { ACTIONS } from "./card.ts";
import { GRANT_FORM } from "./grant-modal.ts";
import { DENY_FORM, EDIT_FORM } from "./modal.ts";

/** Where a card stands. */
export interface SlackMessage {
  readonly channel: string;
  readonly ts: string;
}

interface FromPerson {
  /** The account that Slack names: nothing else in a payload says who somebody is. */
  readonly account: string;
  readonly shown: Shown;
  readonly message: SlackMessage | undefined;
}

export type Interaction =
  | (FromPerson & { readonly kind: "approve" | "deny" })
  | (FromPerson & { readonly kind: "edit" | "explain" | "permit"; readonly trigger: string })
  | (FromPerson & { readonly kind: "submit" | "grant"; readonly values: JsonObject })
  | (FromPerson & { readonly kind: "refuse"; readonly values: JsonObject })
  /** Something that needs no answer: a link that was opened, another feature of the same app. */
  | { readonly kind: "other" };

/** Undefined: this is no interaction that Slack sends. */
export function readInteraction(payload: Json): Interaction | undefined {
  switch (textAt(payload, "type")) {
    case "block_actions":
      return readClick(payload);
    case "view_submission":
      return readSubmission(payload);
    case undefined:
      return undefined;
    default:
      return { kind: "other" };
  }
}

function readClick(payload: Json): Interaction | undefined {
  const actions = at(payload, "actions");
  if (!Array.isArray(actions)) return undefined;
  const ours = (actions as readonly Json[]).filter((action) => textAt(action, "action_id")?.startsWith("saferun."));
  const [action] = ours;
  if (action === undefined || ours.length !== 1) return { kind: "other" };
  const account = textAt(payload, "user", "id");
  const shown = readShown(textAt(action, "value") ?? "");
  if (account === undefined || shown === undefined) return undefined;
  const person = { account, shown, message: messageAt(at(payload, "container"), "channel_id", "message_ts") };
  switch (textAt(action, "action_id")) {
    case ACTIONS.approve:
      return { kind: "approve", ...person };
    case ACTIONS.deny:
      return { kind: "deny", ...person };
    case ACTIONS.explain:
      return { kind: "explain", ...person, trigger: textAt(payload, "trigger_id") ?? "" };
    case ACTIONS.edit:
      return { kind: "edit", ...person, trigger: textAt(payload, "trigger_id") ?? "" };
    case ACTIONS.permit:
      return { kind: "permit", ...person, trigger: textAt(payload, "trigger_id") ?? "" };
    default:
      return { kind: "other" };
  }
}

function readSubmission(payload: Json): Interaction | undefined {
  const form = textAt(payload, "view", "callback_id") ?? "";
  const kind = Object.hasOwn(FORMS, form) ? FORMS[form] : undefined;
  if (kind === undefined) return { kind: "other" };
  const account = textAt(payload, "user", "id");
  const metadata = jsonOf(textAt(payload, "view", "private_metadata") ?? "");
  const shown = readShown(textAt(metadata, "shown") ?? "");
  const values = at(payload, "view", "state", "values");
  if (account === undefined || shown === undefined || !isMap(values)) return undefined;
  return { kind, account, shown, values, message: messageAt(at(metadata, "message"), "channel", "ts") };
}

const FORMS: Readonly<Record<string, "submit" | "grant" | "refuse">> = {
  [EDIT_FORM]: "submit",
  [GRANT_FORM]: "grant",
  [DENY_FORM]: "refuse",
};

/** What a form keeps of the click that opened it. */
export function formMetadata({ shown, message }: FromPerson): string {
  return JSON.stringify({ shown: JSON.stringify(shown), ...(message === undefined ? {} : { message }) });
}

function readShown(text: string): Shown | undefined {
  const value = jsonOf(text);
  const approval = textAt(value, "approval");
  const nonce = textAt(value, "nonce");
  const version = at(value, "version");
  if (approval === undefined || nonce === undefined || typeof version !== "number") return undefined;
  return { approval, version, nonce };
}

function messageAt(value: Json | undefined, channelKey: string, tsKey: string): SlackMessage | undefined {
  const channel = textAt(value, channelKey);
  const ts = textAt(value, tsKey);
  return channel === undefined || ts === undefined ? undefined : { channel, ts };
}
