/** Any system as a channel: Standard Webhooks out, Standard Webhooks in. */
import {
  type AlarmText,
  type Answered,
  type AnswerWord,
  type ApprovalRecord,
  argumentsOf,
  type DecisionPorts,
  editFieldJson,
  GRANT_WINDOWS,
  type Json,
  type JsonObject,
  notAllowed,
  outcomeText,
  readGrantChoice,
  shownAmounts,
} from "@saferun/core";
import { type Channel, type OnError, warnOperator } from "../channel.ts";
import { Desk, type Reply } from "../desk.ts";
import { BODY_BYTES, Repeats, readBody } from "../intake.ts";
import { at, isMap, jsonOf, textAt } from "../json-body.ts";
import { type People, personOf } from "../people.ts";
import { post, postFailure } from "../post.ts";
import { parseWebhookSecret, signedId, webhookHeaders } from "./signature.ts";

export interface WebhookOptions {
  /** Signs what is sent: `whsec_…`, 24 to 64 random bytes in base64. */
  readonly secret: string;
  /** Has signed what comes in; another one, so that a reader of questions cannot answer them. */
  readonly answerSecret: string;
  /** The answering system's account ids → who that is. That system proves who its people are, by `answerSecret`. */
  readonly approvers: People;
  /** For a process that answers and has not asked: the store that holds the approvals. */
  readonly ports?: DecisionPorts;
  /** Failures that nobody waits for. Default: a process warning. */
  readonly onError?: OnError;
}

export interface WebhookMessage {
  readonly url: string;
  /** The `webhook-id`, the same for every attempt. */
  readonly id: string;
}

/** Target: the address that gets the question. */
export type WebhookChannel = Channel<string, WebhookMessage>;

/**
 * Sends `approval.requested`, `approval.closed` and `alarm.raised`; takes `approval.decide`. What the receiver answers to a message that
 * it was sent is never read as a decision.
 *
 * @example
 * const webhook = createWebhook({ secret, answerSecret, approvers: { "42": { principal: "ann" } } });
 * onPause: async (a) => webhook.notify("https://ops.example.com/approvals", a)
 */
export function createWebhook(options: WebhookOptions): WebhookChannel {
  const key = parseWebhookSecret(options.secret, "secret");
  const answerKey = parseWebhookSecret(options.answerSecret, "answerSecret");
  const onError = options.onError ?? warnOperator;
  const send = async (url: string, id: string, body: JsonObject): Promise<WebhookMessage> => {
    const text = JSON.stringify(body);
    await post(url, webhookHeaders(key, id, text, Date.now()), text);
    return { url, id };
  };
  const desk = new Desk<WebhookMessage>({
    via: "webhook",
    secret: options.answerSecret,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    onError,
    failure: (error) => postFailure(error, "the webhook's receiver"),
    post: (url, approval, nonce) => send(url, `${approval.id}.requested`, requestedEvent(approval, nonce)),
    alarm: (url, id, alarm) => send(url, id, alarmEvent(id, alarm)),
    renew: ({ url }, approval, nonce) =>
      send(url, `${approval.id}.requested.${approval.version}`, requestedEvent(approval, nonce)),
    close: ({ url }, approval) => send(url, `${approval.id}.closed`, closedEvent(approval)),
  });
  const repeats = new Repeats<Answered | undefined>(Date.now);

  async function handle(request: Request): Promise<Response> {
    try {
      if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
      const body = await readBody(request, BODY_BYTES);
      if (body === undefined) return new Response("too large", { status: 413 });
      const id = signedId(request.headers, body, answerKey, Date.now());
      if (id === undefined) return new Response("not signed, or not now", { status: 401 });
      const answer = await repeats.once(id, async () => decide(jsonOf(body)));
      if (answer === undefined) return new Response("no approval.decide", { status: 400 });
      const status = answer.mendable ? 422 : STATUS[answer.answer];
      return Response.json({ answer: answer.answer, message: answer.message }, { status });
    } catch (error) {
      onError(error);
      return new Response("not recorded", { status: 500 });
    }
  }

  async function decide(event: Json | undefined): Promise<Answered | undefined> {
    const data = at(event, "data");
    const reply = readReply(data);
    const account = textAt(data, "account");
    if (textAt(event, "type") !== "approval.decide" || reply === undefined || account === undefined) return undefined;
    const person = personOf(options.approvers, account);
    if (person === undefined) return notAllowed("this account is linked to nobody who may decide");
    return desk.decide(reply, person);
  }

  return {
    notify: async (url, paused) => desk.send(url, paused),
    update: (approval) => desk.update(approval),
    handle,
    direct: desk.direct,
    close: () => desk.close(),
  };
}

const STATUS: Readonly<Record<AnswerWord, number>> = {
  applied: 200,
  already_decided: 409,
  stale_version: 409,
  expired: 410,
  not_allowed: 403,
};

const KEYS: readonly string[] = ["approval", "version", "nonce", "verdict", "arguments", "grant", "note", "account"];
const NOTE_CHARACTERS = 2_000;

/** Nothing in it is guessed: an unknown key is an error. */
function readReply(data: Json | undefined): Reply | undefined {
  if (!isMap(data) || Object.keys(data).some((key) => !KEYS.includes(key))) return undefined;
  const { version, verdict } = data;
  const [approval, nonce, note] = [textAt(data, "approval"), textAt(data, "nonce"), textAt(data, "note")];
  if (approval === undefined || nonce === undefined || typeof version !== "number") return undefined;
  if (verdict !== "approve" && verdict !== "deny") return undefined;
  if (data.note !== undefined && (note === undefined || note.length > NOTE_CHARACTERS)) return undefined;
  if ((data.arguments !== undefined || data.grant !== undefined) && verdict === "deny") return undefined;
  const grant = data.grant === undefined ? undefined : readGrantChoice(data.grant);
  if (grant === null) return undefined;
  return {
    ...{ approval, version, nonce, verdict },
    ...(data.arguments === undefined ? {} : { args: data.arguments }),
    ...(note === undefined ? {} : { note }),
    ...(grant === undefined ? {} : { grant }),
  };
}

function requestedEvent(approval: ApprovalRecord, nonce: string): JsonObject {
  return {
    type: "approval.requested",
    timestamp: new Date(approval.createdAt).toISOString(),
    data: {
      ...common(approval),
      nonce,
      arguments: argumentsOf(approval),
      amounts: shownAmounts(approval).map((amount) => ({ ...amount })),
      reasons: approval.reasons.map(({ id, reason }) => ({ rule: id, reason })),
      editable: approval.editable,
      fields: (approval.form ?? []).map(editFieldJson),
      grant_offer: offerOf(approval),
      deadline: new Date(approval.deadline).toISOString(),
    },
  };
}

/** What `grant` may choose of, in an answer; null: nothing. */
function offerOf({ grantOffer: offer }: ApprovalRecord): JsonObject | null {
  if (offer === undefined) return null;
  return { same: offer.same, free: offer.free, amount: offer.amount ?? null, for: Object.keys(GRANT_WINDOWS) };
}

function alarmEvent(id: string, { run, agent, environment, lines }: AlarmText): JsonObject {
  return {
    type: "alarm.raised",
    timestamp: new Date().toISOString(),
    data: { alarm: id, run, agent, environment, lines },
  };
}

function closedEvent(approval: ApprovalRecord): JsonObject {
  const { decision, state } = approval;
  return {
    type: "approval.closed",
    timestamp: new Date(decision?.at ?? approval.deadline).toISOString(),
    data: {
      ...common(approval),
      state,
      outcome: outcomeText(approval),
      verdict: decision?.verdict ?? null,
      by: decision?.by.id ?? null,
      edited: decision?.edited ?? false,
      arguments: decision === null ? argumentsOf(approval) : (jsonOf(decision.bytes) ?? null),
    },
  };
}

function common({ id, version, run, call, tool, agent, environment, digest }: ApprovalRecord): JsonObject {
  return { approval: id, version, run, call, tool, agent, environment, digest };
}
