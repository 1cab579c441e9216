/**
 * E-mail as a channel: a link to a page, where a person who is signed in decides with a form. Opening the link decides
 * nothing, because mail scanners open links (traps.md, 16).
 */
import { createHmac } from "node:crypto";
import {
  type AlarmText,
  type ApprovalRecord,
  chosenGrant,
  type DecisionPorts,
  fieldsOf,
  type GrantChoice,
  type GrantField,
  isChosen,
  type Mistake,
  notAllowed,
  outcomeText,
  type SendFailure,
  typedArguments,
} from "@saferun/core";
import { createTransport } from "nodemailer";
import type SMTPTransport from "nodemailer/lib/smtp-transport/index.js";
import { type Channel, type OnError, warnOperator } from "../channel.ts";
import { Desk, type Shown } from "../desk.ts";
import { BODY_BYTES, readBody } from "../intake.ts";
import { type People, type Person, personOf, unconfigured } from "../people.ts";
import { short } from "../shown.ts";
import { answerPage, FORM, fieldName, PAGE_HEADERS, questionPage } from "./page.ts";

export interface EmailOptions {
  /** `smtps://user:password@mail.example.com`, or `smtp://…:587`; without TLS only where it says `?ignoreTLS=true`. */
  readonly smtp: string;
  readonly from: string;
  /** The page's address, as people reach it: requests to it go to `handle`. HTTPS, or loopback. */
  readonly page: string;
  /** 32 characters or more, kept: links are made from it. */
  readonly secret: string;
  /**
   * Who is signed in to your application: the account's id; or a response, such as a redirect to the sign-in;
   * undefined for nobody.
   */
  readonly identify: (request: Request) => string | Response | undefined | Promise<string | Response | undefined>;
  /** Your application's account ids → who that is. Nobody else sees the call or can answer. */
  readonly approvers: People;
  /** For a process that answers and has not asked: the store that holds the approvals. */
  readonly ports?: DecisionPorts;
  readonly onError?: OnError;
}

export interface EmailMessage {
  readonly to: string;
  readonly messageId: string;
}

/** Target: an address, or several with commas. */
export type EmailChannel = Channel<string, EmailMessage>;

const NOTE_CHARACTERS = 2_000;
const TIMEOUT_MS = 10_000;

/**
 * @example
 * const email = createEmail({ smtp, from, page: "https://ops.example.com/approve", secret, identify: signedIn, approvers });
 * onPause: async (a) => email.notify("finance@example.com", a)
 * @throws SafeRunError `channel.unconfigured`
 */
export function createEmail(options: EmailOptions): EmailChannel {
  const { approvers, from, identify } = options;
  const page = pageOf(options.page);
  if (options.secret.length < 32) throw unconfigured("`secret` must have 32 characters or more");
  const onError = options.onError ?? warnOperator;
  const transport = createTransport(transportOptions(options.smtp), { from });
  const domain = page.hostname;
  const desk = new Desk<EmailMessage>({
    via: "email",
    secret: options.secret,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    onError,
    failure: emailFailure,
    post: mail,
    alarm: mailAlarm,
    async renew({ to, messageId }, approval, nonce) {
      // The link that was mailed stays good for an answer to the version it was made for, and that one is over.
      if (approval.since !== approval.version) return;
      const text = textOf(approval, linkOf(approval, nonce));
      await transport.sendMail({
        to,
        subject: subjectOf(approval),
        text,
        inReplyTo: messageId,
        references: [messageId],
      });
    },
    async close({ to, messageId }, approval) {
      const text = `Outcome: ${outcomeText(approval)}\n`;
      await transport.sendMail({
        to,
        subject: subjectOf(approval),
        text,
        inReplyTo: messageId,
        references: [messageId],
      });
    },
  });

  async function mail(to: string, approval: ApprovalRecord, nonce: string): Promise<EmailMessage> {
    const messageId = messageIdOf(to, approval.id);
    await transport.sendMail({
      to,
      subject: subjectOf(approval),
      text: textOf(approval, linkOf(approval, nonce)),
      messageId,
    });
    return { to, messageId };
  }

  async function mailAlarm(to: string, id: string, alarm: AlarmText): Promise<EmailMessage> {
    const messageId = messageIdOf(to, id);
    const { agent, environment, run, lines } = alarm;
    const text = [
      ...lines.map((line) => `- ${short(line, 1_000)}`),
      "",
      `Agent ${short(agent, 256)} in ${short(environment, 256)}, run ${short(run, 256)}.`,
      "",
    ].join("\n");
    await transport.sendMail({ to, subject: `[SafeRun] ${short(lines[0] ?? "an alarm", 120)}`, text, messageId });
    return { to, messageId };
  }

  /** The same for every attempt, so that a mail program shows one of them. */
  function messageIdOf(to: string, about: string): string {
    const keyed = createHmac("sha256", options.secret).update(JSON.stringify([to, about]));
    return `<${keyed.digest("hex").slice(0, 32)}@${domain}>`;
  }

  function linkOf({ id, version }: ApprovalRecord, nonce: string): string {
    const link = new URL(page);
    for (const [name, value] of [
      [FORM.approval, id],
      [FORM.version, String(version)],
      [FORM.nonce, nonce],
    ] as const) {
      link.searchParams.set(name, value);
    }
    return link.href;
  }

  async function handle(request: Request): Promise<Response> {
    try {
      const { method } = request;
      if (method !== "GET" && method !== "HEAD" && method !== "POST") {
        return new Response(null, { status: 405, headers: { allow: "GET, HEAD, POST" } });
      }
      if (method === "POST" && !isOwnForm(request.headers))
        return pageResponse(403, notAllowed("send the form of this page").message);
      const body = method === "POST" ? await readBody(request, BODY_BYTES) : new Uint8Array();
      if (body === undefined) return pageResponse(413, "too large");
      const account = await identify(request);
      if (account instanceof Response) return account;
      const person = account === undefined ? undefined : personOf(approvers, account);
      if (person === undefined) {
        const status = account === undefined ? 401 : 403;
        return pageResponse(
          status,
          notAllowed(account === undefined ? "sign in first" : "this account is linked to nobody who may decide")
            .message,
        );
      }
      if (method !== "POST") return await question(new URL(request.url).searchParams);
      return await decided(new URLSearchParams(new TextDecoder().decode(body)), person);
    } catch (error) {
      onError(error);
      return pageResponse(500, "not recorded; nothing was decided");
    }
  }

  async function question(query: URLSearchParams): Promise<Response> {
    const shown = shownIn(query);
    const approval = shown === undefined ? undefined : await desk.opened(shown);
    if (shown === undefined || approval === undefined) return pageResponse(404, UNKNOWN);
    if (approval.state !== "pending") return pageResponse(200, outcomeText(approval), approval);
    return new Response(questionPage(approval, shown), { headers: PAGE_HEADERS });
  }

  async function decided(form: URLSearchParams, person: Person): Promise<Response> {
    const shown = shownIn(form);
    const approval = shown === undefined ? undefined : await desk.opened(shown);
    const verdict = form.get(FORM.verdict);
    if (shown === undefined || approval === undefined) return pageResponse(404, UNKNOWN);
    if (verdict !== "approve" && verdict !== "deny")
      return pageResponse(400, notAllowed("neither approve nor deny").message);
    const note = form.get(FORM.note)?.slice(0, NOTE_CHARACTERS).toWellFormed() ?? "";
    const typed = verdict === "approve" ? typedArguments(approval, valuesIn(form, approval)) : { args: undefined };
    const grant = verdict === "approve" ? grantIn(form, approval) : undefined;
    const mistakes = [...("mistakes" in typed ? typed.mistakes : []), ...grantMistakes(approval, grant)];
    if ("mistakes" in typed || mistakes.length > 0)
      return new Response(questionPage(approval, shown, mistakes), { status: 422, headers: PAGE_HEADERS });
    const answer = await desk.decide(
      {
        ...shown,
        verdict,
        ...(typed.args === undefined ? {} : { args: typed.args }),
        ...(note === "" ? {} : { note }),
        ...(grant === undefined ? {} : { grant }),
      },
      person,
    );
    if (answer.mendable) {
      const mistakes = [{ path: "", message: answer.message }];
      return new Response(questionPage(approval, shown, mistakes), { status: 422, headers: PAGE_HEADERS });
    }
    return pageResponse(STATUS[answer.answer], answer.message, answer.approval);
  }

  /** A form of our own page: browsers say where a request comes from, and other sites cannot make them lie. */
  function isOwnForm(headers: Headers): boolean {
    const type = headers.get("content-type") ?? "";
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return false;
    const [origin, site] = [headers.get("origin"), headers.get("sec-fetch-site")];
    if (origin === null && site === null) return false;
    return (origin === null || origin === page.origin) && (site === null || site === "same-origin");
  }

  return {
    notify: async (to, paused) => desk.send(to, paused),
    update: (approval) => desk.update(approval),
    handle,
    direct: desk.direct,
    async close() {
      await desk.close();
      transport.close();
    },
  };
}

const UNKNOWN = "not allowed: this link belongs to no approval that is known here";
const STATUS = { applied: 200, already_decided: 409, stale_version: 409, expired: 410, not_allowed: 403 } as const;

function pageResponse(status: number, message: string, approval?: ApprovalRecord): Response {
  return new Response(answerPage(message, approval), { status, headers: PAGE_HEADERS });
}

function pageOf(text: string): URL {
  const page = URL.canParse(text) ? new URL(text) : undefined;
  const local = page?.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(page.hostname);
  if (page === undefined || !(page.protocol === "https:" || local)) {
    throw unconfigured("`page` must be the address of the page, beginning with `https://`");
  }
  return page;
}

/** A server that cannot encrypt gets no mail: without this a stranger on the way could strip the encryption. */
function transportOptions(text: string): SMTPTransport.Options {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["smtp:", "smtps:"].includes(url.protocol)) {
    throw unconfigured("`smtp` must be an address that begins with `smtps://` or `smtp://`");
  }
  const plain = url.searchParams.get("ignoreTLS") === "true";
  return {
    url: text,
    ...(plain || url.protocol === "smtps:" ? {} : { requireTLS: true }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: 3 * TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function shownIn(form: URLSearchParams): Shown | undefined {
  const [approval, version, nonce] = [form.get(FORM.approval), form.get(FORM.version), form.get(FORM.nonce)];
  if (approval === null || nonce === null || version === null || !/^\d{1,9}$/.test(version)) return undefined;
  return { approval, version: Number(version), nonce };
}

/** Undefined: this call alone. */
function grantIn(form: URLSearchParams, { grantOffer: offer }: ApprovalRecord): GrantChoice | undefined {
  const window = form.get(FORM.grant) ?? "";
  if (window === "") return undefined;
  const most = offer?.amount === undefined ? {} : { most: form.get(FORM.most) ?? "" };
  return { for: window, count: form.get(FORM.count) ?? "", ...most };
}

const GRANT_NAMES = { for: FORM.grant, count: FORM.count, most: FORM.most } as const;

function grantMistakes(approval: ApprovalRecord, choice: GrantChoice | undefined): readonly Mistake[] {
  const chosen = choice === undefined ? undefined : chosenGrant(approval, choice);
  if (chosen === undefined || "grant" in chosen) return [];
  // Where nothing is offered there is no field to say it at.
  const path = (field: GrantField) => (approval.grantOffer === undefined ? "" : GRANT_NAMES[field]);
  return chosen.mistakes.map(({ field, message }) => ({ path: path(field), message }));
}

function valuesIn(form: URLSearchParams, approval: ApprovalRecord): ReadonlyMap<string, string | readonly string[]> {
  const values = fieldsOf(approval).flatMap((field, index): [string, string | readonly string[]][] => {
    const texts = form.getAll(fieldName(index));
    const [text] = texts;
    if (text === undefined) return [];
    const several = field.type === "enums" && isChosen(field);
    return [[field.path, several ? texts.filter((one) => one !== "") : text]];
  });
  return new Map(values);
}

function subjectOf({ tool, id }: ApprovalRecord): string {
  return `[SafeRun] a call of ${short(tool, 80)} waits for a person (${id.slice(-8)})`;
}

/** No arguments: a mail is read in many places, and the page shows all of them. */
function textOf(approval: ApprovalRecord, link: string): string {
  const { tool, agent, environment, reasons, deadline } = approval;
  return [
    `A call of ${short(tool, 256)} by ${short(agent, 256)} in ${short(environment, 256)} waits for a person.`,
    "",
    ...reasons.map(({ id, reason }) => `- ${short(id, 128)}: ${short(reason, 500)}`),
    "",
    "Look at it and decide:",
    link,
    "",
    `Silence denies it: ${new Date(deadline).toISOString()}`,
    "",
  ].join("\n");
}

/** SMTP says with a 5xx that it will not take it; everything else may be another try away. */
function emailFailure(error: unknown): SendFailure {
  const [status, code] = error instanceof Error ? [Reflect.get(error, "responseCode"), Reflect.get(error, "code")] : [];
  if (code === "ETLS") return { retry: false, message: "the mail server offers no encryption" };
  if (typeof status !== "number") return { retry: true, message: "the mail server cannot be reached" };
  return { retry: status < 500, message: `the mail server answers with ${status}` };
}
