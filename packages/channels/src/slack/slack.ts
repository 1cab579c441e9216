/** Slack as a channel: a card with buttons, an edit form, and the answer of people whom the configuration names. */
import {
  type AlarmText,
  type Answered,
  type ApprovalRecord,
  answeredOf,
  chosenGrant,
  type DecisionPorts,
  type Json,
  type JsonObject,
  notAllowed,
} from "@saferun/core";
import { type Channel, type OnError, warnOperator } from "../channel.ts";
import { Desk } from "../desk.ts";
import { BODY_BYTES, Repeats, readBody } from "../intake.ts";
import { jsonOf } from "../json-body.ts";
import { type People, type Person, personOf } from "../people.ts";
import { short } from "../shown.ts";
import { type Card, closedCard, escaped, pendingCard } from "./card.ts";
import { createSlackClient, slackFailure } from "./client.ts";
import { grantForm, grantMistakesReply, submittedGrant } from "./grant-modal.ts";
import { formMetadata, type Interaction, readInteraction, type SlackMessage } from "./interaction.ts";
import { answerReply, denyForm, editForm, mistakesReply, submitted, submittedReason } from "./modal.ts";
import { isSlackRequest } from "./signature.ts";
import { openSocket, type SlackSocket } from "./socket.ts";

export interface SlackOptions {
  /** Bot token (`xoxb-…`) with the scopes `chat:write` and `users:read`. */
  readonly token: string;
  readonly signingSecret: string;
  /** App-level token (`xapp-…`): answers come over a socket that this process opens, and no public address is needed. */
  readonly appToken?: string;
  /** Slack account (`U024BE7LH`) → who that is. Nobody else can answer. */
  readonly approvers: People;
  /** For a process that answers and has not asked: the store that holds the approvals. */
  readonly ports?: DecisionPorts;
  /** Page on which a person can decide; shown as a button. */
  readonly link?: (approval: ApprovalRecord) => string | undefined;
  /** Default: Slack's own. */
  readonly apiUrl?: string;
  /** Failures that nobody waits for. Default: a process warning. */
  readonly onError?: OnError;
}

export type SlackChannel = Channel<string, SlackMessage>;

/** What a click or a form gets back at once. */
interface SlackReply {
  readonly status: 200 | 400;
  readonly body?: JsonObject;
}

const DONE: SlackReply = { status: 200 };

/**
 * @example
 * const slack = createSlack({ token, signingSecret, approvers: { U024BE7LH: { principal: "ann", roles: ["finance"] } } });
 * server.post("/slack", (request) => slack.handle(request));
 */
export function createSlack(options: SlackOptions): SlackChannel {
  const { approvers, signingSecret, link } = options;
  const onError = options.onError ?? warnOperator;
  const client = createSlackClient(options.token, options.apiUrl);
  const desk = new Desk<SlackMessage>({
    via: "slack",
    secret: signingSecret,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    onError,
    failure: slackFailure,
    post: (channel, approval, nonce) => posted(channel, card(approval, nonce)),
    alarm: (channel, _, alarm) => posted(channel, { text: alarmText(alarm), mrkdwn: false }),
    listen,
    idle: hangUp,
    renew: (message, approval, nonce) => client.chat.update({ ...target(message), ...card(approval, nonce) }),
    close: (message, approval) => client.chat.update({ ...target(message), ...closedCard(approval) }),
  });
  const repeats = new Repeats<SlackReply>(Date.now);
  let socket: Promise<SlackSocket> | undefined;
  let hungUp: Promise<void> = Promise.resolve();

  async function posted(
    channel: string,
    what: Card | { readonly text: string; readonly mrkdwn: false },
  ): Promise<SlackMessage> {
    const to = { channel: channel.replace(/^#/, ""), ...LITERAL };
    const message = await client.chat.postMessage({ ...to, ...what });
    return { channel: message.channel ?? channel, ts: message.ts ?? "" };
  }

  function card(approval: ApprovalRecord, nonce: string): Card {
    const page = link?.(approval);
    const answerable = Object.keys(approvers).length > 0;
    return pendingCard(approval, { nonce, answerable, ...(page === undefined ? {} : { link: page }) });
  }

  function listen(): void {
    if (options.appToken === undefined || socket !== undefined) return;
    const opening = openSocket(options.appToken, options.apiUrl, said, onError);
    socket = opening;
    opening.catch((error: unknown) => {
      if (socket === opening) socket = undefined;
      onError(error);
    });
  }

  /** An open socket would keep a process alive that has nothing more to ask. */
  function hangUp(): void {
    const open = socket;
    socket = undefined;
    if (open !== undefined) hungUp = open.then((one) => one.close()).catch(() => undefined);
  }

  async function handle(request: Request): Promise<Response> {
    try {
      if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
      const body = await readBody(request, BODY_BYTES);
      if (body === undefined) return new Response("too large", { status: 413 });
      if (!isSlackRequest(request.headers, body, signingSecret, Date.now())) {
        return new Response("not signed by slack, or not now", { status: 401 });
      }
      const payload = payloadOf(body);
      if (payload === undefined) return new Response("no interaction", { status: 400 });
      const reply = await said(request.headers.get("x-slack-signature") ?? "", payload);
      if (reply.body === undefined) return new Response(null, { status: reply.status });
      return Response.json(reply.body, { status: reply.status });
    } catch (error) {
      // Not written down: Slack shows the person that it failed, and the same click may come again.
      onError(error);
      return new Response("not recorded", { status: 500 });
    }
  }

  /** One path for HTTP and socket. `key` names the delivery: what comes twice is answered once. */
  function said(key: string, payload: Json): Promise<SlackReply> {
    return repeats.once(key, async () => {
      const interaction = readInteraction(payload);
      if (interaction === undefined) return { status: 400 };
      switch (interaction.kind) {
        case "other":
          return DONE;
        case "edit":
        case "explain":
        case "permit":
          return open(interaction);
        case "submit":
          return submit(interaction);
        case "grant":
          return permit(interaction);
        case "refuse":
          return refuse(interaction);
        case "approve":
        case "deny":
          return click(interaction);
      }
    });
  }

  async function click({
    kind,
    account,
    shown,
    message,
  }: Interaction & { kind: "approve" | "deny" }): Promise<SlackReply> {
    const person = await whoIs(account);
    const answer =
      "refusal" in person
        ? notAllowed(person.refusal)
        : await desk.decide({ ...shown, verdict: kind }, person, message);
    if (answer.answer !== "applied" || answer.approval?.state === "pending") tell(account, message, answer);
    return DONE;
  }

  /** The form opens first: Slack forgets the click after three seconds. Who it was is asked again when it is sent. */
  async function open(interaction: Interaction & { kind: "edit" | "explain" | "permit" }): Promise<SlackReply> {
    const { account, kind, shown, message, trigger } = interaction;
    const person = personOf(approvers, account);
    const approval = person === undefined ? undefined : await desk.opened(shown);
    if (approval === undefined) return told(account, message, notAllowed(person === undefined ? UNLINKED : UNKNOWN));
    const refusal = refused(approval, shown.version);
    if (refusal !== undefined) {
      if (refusal.answer !== "stale_version") desk.run(desk.update(approval, message));
      return told(account, message, refusal);
    }
    const metadata = formMetadata(interaction);
    const view = FORM_OF[kind](approval, metadata);
    if (view === undefined) return told(account, message, notAllowed("these arguments do not fit into a form here"));
    await client.views.open({ trigger_id: trigger, view });
    return DONE;
  }

  async function submit({ account, shown, values, message }: Submission): Promise<SlackReply> {
    const person = await whoIs(account);
    if ("refusal" in person) return { status: 200, body: answerReply(notAllowed(person.refusal)) };
    const approval = await desk.opened(shown);
    if (approval === undefined) return { status: 200, body: answerReply(notAllowed(UNKNOWN)) };
    const typed = submitted(approval, values);
    if ("mistakes" in typed) return { status: 200, body: mistakesReply(approval, typed.mistakes) };
    const answer = await desk.decide({ ...shown, verdict: "approve", args: typed.args }, person, message);
    if (answer.mendable) return { status: 200, body: mistakesReply(approval, [{ path: "", message: answer.message }]) };
    return { status: 200, body: answerReply(answer) };
  }

  async function permit({ account, shown, values, message }: Submission): Promise<SlackReply> {
    const person = await whoIs(account);
    if ("refusal" in person) return { status: 200, body: answerReply(notAllowed(person.refusal)) };
    const approval = await desk.opened(shown);
    if (approval === undefined) return { status: 200, body: answerReply(notAllowed(UNKNOWN)) };
    const grant = submittedGrant(approval, values);
    const chosen = chosenGrant(approval, grant);
    if ("mistakes" in chosen) return { status: 200, body: grantMistakesReply(chosen.mistakes) };
    return {
      status: 200,
      body: answerReply(await desk.decide({ ...shown, verdict: "approve", grant }, person, message)),
    };
  }

  async function refuse({ account, shown, values, message }: Interaction & { kind: "refuse" }): Promise<SlackReply> {
    const person = await whoIs(account);
    if ("refusal" in person) return { status: 200, body: answerReply(notAllowed(person.refusal)) };
    const note = submittedReason(values);
    const reply = { ...shown, verdict: "deny", ...(note === "" ? {} : { note }) } as const;
    return { status: 200, body: answerReply(await desk.decide(reply, person, message)) };
  }

  /** Linked by configuration, and still a full member: Slack is asked each time, because people leave. */
  async function whoIs(account: string): Promise<Person | { readonly refusal: string }> {
    const person = personOf(approvers, account);
    if (person === undefined) return { refusal: UNLINKED };
    try {
      const { user } = await client.users.info({ user: account });
      if (user === undefined || user.id !== account) return { refusal: "slack does not know this account" };
      if (user.deleted) return { refusal: "this account is deactivated" };
      if (user.is_bot || user.is_workflow_bot) return { refusal: "a bot cannot decide" };
      if (user.is_restricted || user.is_ultra_restricted || user.is_stranger)
        return { refusal: "a guest cannot decide" };
      return person;
    } catch (error) {
      onError(error);
      return { refusal: "slack could not say whose account this is; nothing was decided" };
    }
  }

  function told(account: string, message: SlackMessage | undefined, answer: Answered): SlackReply {
    tell(account, message, answer);
    return DONE;
  }

  /** Only to the person who clicked. */
  function tell(account: string, message: SlackMessage | undefined, { message: text }: Answered): void {
    if (message === undefined) return;
    const { channel } = message;
    desk.run(client.chat.postEphemeral({ channel, user: account, text: escaped(text), ...LITERAL }));
  }

  return {
    notify: async (channel, paused) => desk.send(channel, paused),
    handle,
    update: (approval) => desk.update(approval),
    direct: desk.direct,
    async close() {
      await desk.close();
      hangUp();
      await hungUp;
    },
  };

  function target({ channel, ts }: SlackMessage): { channel: string; ts: string } & typeof LITERAL {
    return { channel, ts, ...LITERAL };
  }
}

type Submission = Interaction & { kind: "submit" | "grant" };

const FORM_OF = { edit: editForm, explain: denyForm, permit: grantForm } as const;

const UNLINKED = "this Slack account is linked to nobody who may decide";
const UNKNOWN = "this button belongs to no approval that is known here";

/** Nothing that others wrote turns into a mention, a link or a preview that somebody's server is asked for. */
const LITERAL = { link_names: false, parse: "none", unfurl_links: false, unfurl_media: false } as const;

function alarmText({ agent, environment, run, lines }: AlarmText): string {
  const where = `agent ${short(agent, 80)} in ${short(environment, 80)}, run ${short(run, 80)}`;
  return escaped(`SafeRun: ${lines.map((line) => short(line, 1_000)).join("\n")}\n(${where})`);
}

/** Why a form need not be opened: what the decision would answer as well. */
function refused(approval: ApprovalRecord, version: number): Answered | undefined {
  const known = { status: "refused", approval } as const;
  switch (approval.state) {
    case "pending":
      if (version === approval.version) return undefined;
      return answeredOf({ ...known, reason: "stale-version", message: "the request has changed since it was shown" });
    case "expired":
    case "withdrawn":
      return answeredOf({ ...known, reason: "expired", message: "the time for this approval is over" });
    default:
      return answeredOf({ ...known, reason: "already-decided", message: approval.state });
  }
}

function payloadOf(body: Uint8Array): Json | undefined {
  return jsonOf(new URLSearchParams(new TextDecoder().decode(body)).get("payload") ?? "");
}
