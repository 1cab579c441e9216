/** Set-up: The e-mail channel against a real SMTP server on loopback, and its page with signed-in people. Counted at the tool. */
import type { JsonObject } from "@saferun/core";
import { SMTPServer } from "smtp-server";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { createEmail, type EmailChannel, type EmailOptions } from "../src/email/email.ts";
import { eventually, type Waiting, type World, world } from "./world.ts";

const PAGE = "https://ops.example.com/approve";

const SECRET = "a secret of more than thirty-two characters";

let server: SMTPServer;

export let mails: string[];

export let refusals: Error[];

let tries = 0;
let kept = false;

/** How often a question came in, taken or not. */
export const attempts = () => tries;

/** The next mail is delivered, although the server says that it was not. */
export function keepNext(): void {
  kept = true;
}

export let w: World;

export let email: EmailChannel;

export function channel(options: Partial<EmailOptions> = {}): EmailChannel {
  return createEmail({
    smtp: `smtp://127.0.0.1:${port()}?ignoreTLS=true`,
    from: "gate@example.com",
    page: PAGE,
    secret: SECRET,
    identify: (request) => request.headers.get("cookie")?.replace("session=", "") ?? undefined,
    approvers: { "7": { principal: "ann" }, "8": { principal: "bob" } },
    ...options,
  });
}

export function port(): number {
  const address = server.server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

export async function asked(args: JsonObject = { amount: 450, to: "ada@example.com" }): Promise<[Waiting, string]> {
  const waiting = await w.propose(args);
  await email.notify("finance@example.com", waiting);
  return [waiting, linkIn(mails.at(-1) ?? "")];
}

export function linkAbout(approval: string): string {
  const link = mails.map(linkIn).findLast((found) => found.includes(approval));
  if (link === undefined) throw new Error("no mail");
  return link;
}

/** The link as a mail program finds it. */
function linkIn(raw: string): string {
  const body = raw.slice(raw.indexOf("\r\n\r\n"));
  const text = /quoted-printable/i.test(raw)
    ? body
        .replace(/=\r\n/g, "")
        .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : body;
  return /https:\/\/\S+/.exec(text)?.[0] ?? "";
}

export function look(link: string, account?: string, method = "GET"): Promise<Response> {
  return email.handle(
    new Request(link, { method, headers: account === undefined ? {} : { cookie: `session=${account}` } }),
  );
}

export const OWN = { origin: "https://ops.example.com", "sec-fetch-site": "same-origin" };

/** The page's form, with what a person typed. */
export async function send(
  link: string,
  account: string,
  typed: Readonly<Record<string, string | readonly string[]>>,
  headers: Record<string, string> = OWN,
) {
  const form = new URLSearchParams(new URL(link).search);
  for (const [name, value] of Object.entries(typed)) {
    form.delete(name);
    for (const one of [value].flat()) form.append(name, one);
  }
  const request = new Request(PAGE, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", cookie: `session=${account}`, ...headers },
    body: form.toString(),
  });
  const response = await email.handle(request);
  return { status: response.status, text: await response.text() };
}

export const outcome = () => eventually(() => mails.find((mail) => mail.includes("Outcome:")));

/** Another channel in place of the one that a test starts with. */
export async function setUp(options: Partial<EmailOptions>): Promise<void> {
  await email.close();
  email = channel(options);
}

/** Registers the set-up of a file. */
export function useEmail(): void {
  beforeAll(async () => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS", "AUTH"],
      onData(stream, _session, done) {
        const pieces: Buffer[] = [];
        stream.on("data", (piece: Buffer) => pieces.push(piece));
        stream.on("end", () => {
          const refusal = refusals.shift();
          const mail = Buffer.concat(pieces).toString();
          if (!mail.includes("Outcome:")) tries++;
          if (refusal === undefined || kept) mails.push(mail);
          kept = false;
          done(refusal);
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  });
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));
  beforeEach(() => {
    w = world();
    mails = [];
    refusals = [];
    email = channel();
  });
  afterEach(() => email.close());
}
