/** Linear as a channel: an issue with the call, decided by a comment of a person whom the configuration names. */
import { createHmac } from "node:crypto";
import { type Answered, type ApprovalRecord, agreementText, type DecisionPorts, notAllowed } from "@saferun/core";
import { type Channel, type OnError, warnOperator } from "../channel.ts";
import { Desk } from "../desk.ts";
import { BODY_BYTES, isRecent, Repeats, readBody } from "../intake.ts";
import { at, jsonOf } from "../json-body.ts";
import { sameText } from "../nonce.ts";
import { type People, personOf } from "../people.ts";
import { createLinearApi, linearFailure, type Said } from "./api.ts";
import { announced, isAnswer } from "./event.ts";
import {
  alarmIssue,
  answerComment,
  elicitationOf,
  fitsIssue,
  issueOf,
  isUnchanged,
  outcomeComment,
  readCommand,
  shownBy,
} from "./issue.ts";

export interface LinearOptions {
  /** A personal API key (`lin_api_…`) or an app's access token, that may make issues and comments. */
  readonly token: string;
  /** The signing secret of a webhook for comments. */
  readonly webhookSecret: string;
  /** Linear's user ids → who that is. Nobody else can answer. */
  readonly approvers: People;
  /** For a process that answers and has not asked: the store that holds the approvals. */
  readonly ports?: DecisionPorts;
  readonly link?: (approval: ApprovalRecord) => string | undefined;
  /**
   * Asks in an agent session on the issue, with buttons, beside the issue's comments. Needs the token of an app that
   * acts as itself (`actor=app`), and its webhook for agent session events.
   */
  readonly agentSession?: boolean;
  /** How often open issues are looked at for answers whose webhook did not arrive. Default: a minute. */
  readonly pollMs?: number;
  /** Default: Linear's own. */
  readonly apiUrl?: string;
  readonly onError?: OnError;
}

export interface LinearMessage {
  /** The issue's id. */
  readonly issue: string;
  /** The agent session's, where there is one. */
  readonly session?: string;
}

/** Target: a team's key, `OPS`. */
export type LinearChannel = Channel<string, LinearMessage>;

/** Linear's own advice, and half of what other channels allow. */
const WINDOW_MS = 60_000;
const POLL_MS = 60_000;

/**
 * @example
 * const linear = createLinear({ token, webhookSecret, approvers: { "8f1c…": { principal: "ann" } } });
 * onPause: async (a) => linear.notify("OPS", a)
 */
export function createLinear(options: LinearOptions): LinearChannel {
  const { approvers, link, webhookSecret, agentSession: session = false, pollMs = POLL_MS } = options;
  const onError = options.onError ?? warnOperator;
  const api = createLinearApi(options.token, options.apiUrl);
  let viewer: Promise<string> | undefined;
  const desk = new Desk<LinearMessage>({
    via: "linear",
    secret: webhookSecret,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    onError,
    failure: linearFailure,
    async post(team, approval, nonce) {
      const { title, description } = issueOf(approval, nonce, link?.(approval));
      const issue = await api.createIssue(await api.team(team), title, description);
      if (!session) return { issue };
      const place = await api.openSession(issue);
      await api.act(place, elicitationOf(approval, link?.(approval)));
      return { issue, session: place };
    },
    async alarm(team, _, alarm) {
      const { title, description } = alarmIssue(alarm);
      return { issue: await api.createIssue(await api.team(team), title, description) };
    },
    listen: look,
    async renew({ issue, session: place }, approval, nonce) {
      await api.describe(issue, issueOf(approval, nonce, link?.(approval)).description);
      const said = answerComment(agreementText(approval) ?? "asked again");
      await (place === undefined
        ? api.comment(issue, said)
        : api.act(place, elicitationOf(approval, link?.(approval), said)));
    },
    async close({ issue, session: place }, approval) {
      // The move can be repeated without harm, so that a second attempt writes no second comment.
      await api.finish(issue, approval.decision?.verdict === "approve" ? "completed" : "canceled");
      const body = outcomeComment(approval);
      await (place === undefined ? api.comment(issue, body) : api.act(place, { type: "response", body }));
    },
  });
  const repeats = new Repeats<void>(Date.now);

  async function handle(request: Request): Promise<Response> {
    try {
      if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
      const body = await readBody(request, BODY_BYTES);
      if (body === undefined) return new Response("too large", { status: 413 });
      if (!isLinearRequest(request.headers, body, webhookSecret)) {
        return new Response("not signed by linear", { status: 401 });
      }
      const event = jsonOf(body);
      const sentAt = at(event, "webhookTimestamp");
      if (typeof sentAt !== "number" || !isRecent(sentAt, Date.now(), WINDOW_MS)) {
        return new Response("not now", { status: 401 });
      }
      const said = announced(event);
      if (said !== undefined) {
        const found = await (said.kind === "prompt" ? api.prompted(said.id) : api.commented(said.id));
        // Edited or deleted since: what was signed is no longer what stands there.
        if (found?.body === said.body) await answer(found);
      }
      return new Response(null, { status: 200 });
    } catch (error) {
      onError(error);
      return new Response("not recorded", { status: 500 });
    }
  }

  /** Looks for answers whose webhook never came, or came too late to be believed. */
  async function poll(): Promise<void> {
    if (!(await desk.anyPending())) return;
    for (const said of await api.unanswered(await ourselves(), session)) {
      if (isAnswer(said.body)) await answer(said);
    }
  }

  /** One comment is one answer, however often it is delivered or found. */
  function answer(said: Said): Promise<void> {
    return repeats.once(said.key, () => answerNow(said));
  }

  async function answerNow(said: Said): Promise<void> {
    if (said.edited || said.user === undefined) return;
    const viewer = await ourselves();
    if (said.creator === undefined || said.creator !== viewer || said.user.id === viewer) return;
    if (shownBy(said.description) === undefined) return;
    const { answer: word, message, approval } = await decide(said, said.user);
    if (word === "applied") return;
    const text = answerComment(message);
    if (said.session === undefined) return desk.run(api.comment(said.issue, text));
    const over = approval !== undefined && approval.state !== "pending";
    desk.run(api.act(said.session, { type: over ? "response" : "elicitation", body: text }));
  }

  async function decide(said: Said, user: NonNullable<Said["user"]>): Promise<Answered> {
    const person = personOf(approvers, user.id);
    if (person === undefined) return notAllowed("this Linear account is linked to nobody who may decide");
    if (!user.active) return notAllowed("this account is deactivated");
    if (user.app) return notAllowed("an app cannot decide");
    if (user.guest) return notAllowed("a guest cannot decide");
    const shown = shownBy(said.description);
    const approval = shown === undefined ? undefined : await desk.opened(shown);
    if (shown === undefined || approval === undefined)
      return notAllowed("this issue belongs to no approval that is known here");
    const command = readCommand(said.body);
    if (command === undefined || "mistake" in command) return notAllowed(command?.mistake ?? "this is no answer");
    if (command.verdict === "approve") {
      if (!fitsIssue(approval))
        return notAllowed("the arguments do not fit into an issue; approve where all of them are shown");
      if (!isUnchanged(said.description, approval)) {
        return {
          answer: "stale_version",
          message: "stale version: the issue's text is not the one that was written for this call",
        };
      }
    }
    const from: LinearMessage =
      said.session === undefined ? { issue: said.issue } : { issue: said.issue, session: said.session };
    // Comments cannot be written twice without harm: where the outbox closes the issue, nobody else does.
    return desk.decide({ ...shown, ...command }, person, (await desk.isQueued(shown.approval)) ? undefined : from);
  }

  function ourselves(): Promise<string> {
    viewer ??= api.viewer();
    viewer.catch(() => {
      viewer = undefined;
    });
    return viewer;
  }

  let looking: ReturnType<typeof setInterval> | undefined;
  /** Does not keep a process alive. */
  function look(): void {
    looking ??= setInterval(() => desk.run(poll()), pollMs).unref();
  }
  if (options.ports !== undefined) look();

  return {
    notify: async (team, paused) => desk.send(team, paused),
    handle,
    update: (approval) => desk.update(approval),
    direct: desk.direct,
    close() {
      clearInterval(looking);
      return desk.close();
    },
  };
}

/** HMAC-SHA256 of the raw body, as hex. The time stands in the body. */
function isLinearRequest(headers: Headers, body: Uint8Array, secret: string): boolean {
  const expected = createHmac("sha256", secret).update(body).digest("hex");
  return sameText(headers.get("linear-signature") ?? "", expected);
}
