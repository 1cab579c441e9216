/** Linear as a channel: an issue with the call, decided by a comment of a person whom the configuration names. */
import { createHmac } from "node:crypto";
import type { ApprovalRecord, DecisionPorts, Json } from "@saferun/core";
import { type Answer, notAllowed } from "../answer.ts";
import { type Channel, type OnError, type PausedApproval, warnOperator } from "../channel.ts";
import { Desk } from "../desk.ts";
import { BODY_BYTES, isRecent, Repeats, readBody } from "../intake.ts";
import { at, jsonOf, textAt } from "../json-body.ts";
import { sameText } from "../nonce.ts";
import { type People, personOf } from "../people.ts";
import { type Commented, createLinearApi, linearFailure } from "./api.ts";
import { answerComment, fitsIssue, issueOf, isUnchanged, outcomeComment, readCommand, shownBy } from "./issue.ts";

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
  /** Default: Linear's own. */
  readonly apiUrl?: string;
  readonly onError?: OnError;
}

export interface LinearMessage {
  /** The issue's id. */
  readonly issue: string;
}

/** Target: a team's key, `OPS`. */
export type LinearChannel = Channel<string, LinearMessage>;

/** Linear's own advice, and half of what other channels allow. */
const WINDOW_MS = 60_000;

/**
 * @example
 * const linear = createLinear({ token, webhookSecret, approvers: { "8f1c…": { principal: "ann" } } });
 * onPause: async (a) => linear.notify("OPS", a)
 */
export function createLinear(options: LinearOptions): LinearChannel {
  const { approvers, link, webhookSecret } = options;
  const onError = options.onError ?? warnOperator;
  const api = createLinearApi(options.token, options.apiUrl);
  let viewer: Promise<string> | undefined;
  const desk = new Desk<LinearMessage>({
    via: "linear",
    secret: webhookSecret,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    onError,
    failure: linearFailure,
    async close({ issue }, approval) {
      // The move can be repeated without harm, so that a second attempt writes no second comment.
      await api.finish(issue, approval.decision?.verdict === "approve" ? "completed" : "canceled");
      await api.comment(issue, outcomeComment(approval));
    },
  });
  const repeats = new Repeats<void>(Date.now);

  async function notify(team: string, paused: PausedApproval): Promise<readonly LinearMessage[]> {
    return desk.send(team, paused, async (approval, nonce) => {
      const { title, description } = issueOf(approval, nonce, link?.(approval));
      return { issue: await api.createIssue(await api.team(team), title, description) };
    });
  }

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
      const comment = commandComment(event);
      // One comment is one answer, however often it is delivered.
      if (comment !== undefined) await repeats.once(comment, () => answer(comment, event));
      return new Response(null, { status: 200 });
    } catch (error) {
      onError(error);
      return new Response("not recorded", { status: 500 });
    }
  }

  async function answer(id: string, event: Json | undefined): Promise<void> {
    const comment = await api.commented(id);
    // Edited or deleted since: what was signed is no longer what stands there.
    if (comment === undefined || comment.body !== textAt(event, "data", "body")) return;
    // Who wrote it is what Linear itself says of the comment.
    if (comment.user === undefined) return;
    if (comment.creator === undefined || comment.creator !== (await ourselves())) return;
    const shown = shownBy(comment.description);
    if (shown === undefined) return;
    const said = await decide(comment, comment.user);
    if (said.answer !== "applied") desk.run(api.comment(comment.issue, answerComment(said.message)));
  }

  async function decide(comment: Commented, user: NonNullable<Commented["user"]>): Promise<Answer> {
    const person = personOf(approvers, user.id);
    if (person === undefined) return notAllowed("this Linear account is linked to nobody who may decide");
    if (!user.active) return notAllowed("this account is deactivated");
    if (user.app) return notAllowed("an app cannot decide");
    if (user.guest) return notAllowed("a guest cannot decide");
    const shown = shownBy(comment.description);
    const approval = shown === undefined ? undefined : await desk.opened(shown);
    if (shown === undefined || approval === undefined)
      return notAllowed("this issue belongs to no approval that is known here");
    const command = readCommand(comment.body);
    if (command === undefined || "mistake" in command) return notAllowed(command?.mistake ?? "this is no answer");
    if (command.verdict === "approve") {
      if (!fitsIssue(approval))
        return notAllowed("the arguments do not fit into an issue; approve where all of them are shown");
      if (!isUnchanged(comment.description, approval)) {
        return {
          answer: "stale_version",
          message: "stale version: the issue's text is not the one that was written for this call",
        };
      }
    }
    return desk.decide({ ...shown, ...command }, person, { issue: comment.issue });
  }

  function ourselves(): Promise<string> {
    viewer ??= api.viewer();
    viewer.catch(() => {
      viewer = undefined;
    });
    return viewer;
  }

  return { notify, handle, update: (approval) => desk.update(approval), close: () => desk.close() };
}

/** HMAC-SHA256 of the raw body, as hex. The time stands in the body. */
function isLinearRequest(headers: Headers, body: Uint8Array, secret: string): boolean {
  const expected = createHmac("sha256", secret).update(body).digest("hex");
  return sameText(headers.get("linear-signature") ?? "", expected);
}

/** The id of a comment that a person has just written and that begins like an answer. Edits of comments are none. */
function commandComment(event: Json | undefined): string | undefined {
  if (textAt(event, "type") !== "Comment" || textAt(event, "action") !== "create") return undefined;
  const data = at(event, "data");
  const actorType = at(event, "actor", "type") ?? "user";
  const byMachine = (at(data, "botActor") ?? null) !== null || actorType !== "user";
  if (byMachine || (at(data, "editedAt") ?? null) !== null) return undefined;
  return textAt(data, "body")?.trimStart().startsWith("/") ? textAt(data, "id") : undefined;
}
