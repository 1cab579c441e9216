/** Set-up: The Linear channel against Linear's emulator, which signs and delivers the webhooks itself. Counted at the tool. */
import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json, JsonObject } from "@saferun/core";
import { createEmulator, type Emulator } from "emulate";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { createLinear, type LinearChannel, type LinearOptions } from "../src/linear/linear.ts";
import { type Front, openFront } from "./front.ts";
import { type LinearVendor, openLinearVendor, type Session } from "./linear-vendor.ts";
import { eventually, type Waiting, type World, world } from "./world.ts";

const SECRET = "linear-webhook-secret";

export const TOKENS = { bot: "lin_bot", ann: "lin_ann", bob: "lin_bob", eve: "lin_eve" };

export type Name = keyof typeof TOKENS;

let emulator: Emulator;

/** Linear itself. */
let vendor: LinearVendor;

/** In front of it: what the channel says to Linear, and faults. */
export let front: Front;

let hooks: Server;

let hookUrl = "";

let accounts: Map<string, string>;

export let w: World;

export let linear: LinearChannel;

/** What the emulator delivered and got back. */
export let delivered: { body: string; signature: string; status: number }[] = [];

function channel(options: Partial<LinearOptions> = {}): LinearChannel {
  return createLinear({
    token: TOKENS.bot,
    webhookSecret: SECRET,
    apiUrl: `${front.url}/graphql`,
    approvers: { [account("ann")]: { principal: "ann" }, [account("bob")]: { principal: "bob" } },
    onError: () => {},
    ...options,
  });
}

export function account(name: Name): string {
  return accounts.get(name) ?? "";
}

export async function as<Data>(name: Name, query: string, variables: JsonObject = {}): Promise<Data> {
  const response = await fetch(`${emulator.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${TOKENS[name]}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: Json };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

export async function asked(args: JsonObject = { amount: 450, to: "ada@example.com" }): Promise<[Waiting, string]> {
  const waiting = await w.propose(args);
  const [message] = await linear.notify("OPS", waiting);
  return [waiting, message?.issue ?? ""];
}

/** Webhooks do not arrive, as while the receiver is down. */
let lost = false;

export function lose(all = true): void {
  lost = all;
}

/** The one session about an issue. */
export function sessionOn(issue: string): Session {
  const found = [...vendor.sessions.values()].find((session) => session.issue === issue);
  if (found === undefined) throw new Error("no session");
  return found;
}

/** Somebody writes in a session, or chooses one of its buttons; the webhook's status. */
export async function prompt(name: Name, session: Session, body: string, signal?: string): Promise<number> {
  const user = { id: account(name), active: true, guest: false, app: name === "bot" };
  const event = vendor.prompt(session, user, body, signal);
  if (lost) return 503;
  const text = JSON.stringify({ ...event, webhookTimestamp: Date.now() });
  return (await linear.handle(signed(text))).status;
}

/** The emulator delivers the webhook before it answers. */
export async function comment(name: Name, issueId: string, body: string): Promise<string> {
  const query = "mutation($input: CommentCreateInput!) { commentCreate(input: $input) { comment { id } } }";
  type Made = { readonly commentCreate: { readonly comment: { readonly id: string } } };
  return (await as<Made>(name, query, { input: { issueId, body } })).commentCreate.comment.id;
}

export async function teamOf(name: Name): Promise<string> {
  type Teams = { readonly teams: { readonly nodes: readonly { readonly id: string; readonly key: string }[] } };
  const { teams } = await as<Teams>(name, "query { teams(first: 50) { nodes { id key } } }");
  return teams.nodes.find(({ key }) => key === "OPS")?.id ?? "";
}

export interface IssueNow {
  readonly title: string;
  readonly description: string;
  readonly state: { readonly type: string };
  readonly comments: readonly string[];
}

export async function issueNow(id: string): Promise<IssueNow> {
  const query =
    "query($id: String!) { issue(id: $id) { title description state { type } comments(first: 50) { nodes { body } } } }";
  type Found = {
    readonly issue: Omit<IssueNow, "comments"> & { readonly comments: { readonly nodes: { body: string }[] } };
  };
  const { issue } = await as<Found>("ann", query, { id });
  return { ...issue, comments: issue.comments.nodes.map(({ body }) => body) };
}

/** The last issue that was made about an approval. */
export async function issueAbout(approval: string): Promise<string> {
  type Found = { readonly issues: { readonly nodes: readonly { id: string; description: string }[] } };
  const { issues } = await as<Found>("ann", "query { issues(last: 100) { nodes { id description } } }");
  const found = issues.nodes.findLast(({ description }) => description.includes(approval));
  if (found === undefined) throw new Error("no issue");
  return found.id;
}

export const said = (issue: string, text: string) =>
  eventually(async () => (await issueNow(issue)).comments.find((body) => body.includes(text)));

export function signed(body: string, secret = SECRET): Request {
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  return new Request("http://127.0.0.1/linear", { method: "POST", headers: { "linear-signature": signature }, body });
}

/** Another channel in place of the one that a test starts with. */
export async function setUp(options: Partial<LinearOptions>): Promise<void> {
  await linear.close();
  linear = channel(options);
}

/** Registers the set-up of a file. */
export function useLinear(): void {
  beforeAll(async () => {
    const people = Object.keys(TOKENS) as Name[];
    emulator = await createEmulator({
      service: "linear",
      port: 0,
      seed: {
        linear: {
          users: people.map((name) => ({ email: `${name}@example.com`, name, admin: true })),
          teams: [
            {
              key: "OPS",
              name: "Operations",
              states: [
                { name: "Todo", type: "unstarted" },
                { name: "Done", type: "completed" },
                { name: "Canceled", type: "canceled" },
              ],
            },
          ],
          tokens: people.map((name) => ({
            token: TOKENS[name],
            user: `${name}@example.com`,
            scopes: ["read", "write", "admin"],
          })),
        },
      },
    });
    vendor = await openLinearVendor(emulator.url);
    front = await openFront(vendor.url);
    hooks = createServer(async (request, response) => {
      let body = "";
      for await (const piece of request) body += String(piece);
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers))
        if (typeof value === "string") headers.set(name, value);
      const signature = headers.get("linear-signature") ?? "";
      if (lost) {
        delivered.push({ body, signature, status: 503 });
        return response.writeHead(503).end();
      }
      const answer = await linear.handle(new Request("http://127.0.0.1/linear", { method: "POST", headers, body }));
      delivered.push({ body, signature, status: answer.status });
      return response.writeHead(answer.status).end();
    });
    await new Promise<void>((resolve) => hooks.listen(0, "127.0.0.1", resolve));
    hookUrl = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/`;
    const { users } = await as<{ users: { nodes: { id: string; name: string }[] } }>(
      "bot",
      "query { users(first: 50) { nodes { id name } } }",
    );
    accounts = new Map(users.nodes.map(({ id, name }) => [name, id]));
    const team = await teamOf("bot");
    await as("bot", "mutation($input: WebhookCreateInput!) { webhookCreate(input: $input) { success } }", {
      input: { url: hookUrl, resourceTypes: ["Comment"], teamId: team, secret: SECRET, enabled: true },
    });
  });
  afterAll(async () => {
    await new Promise((resolve) => {
      hooks.close(resolve);
      hooks.closeAllConnections();
    });
    await front.close();
    await vendor.close();
    await emulator.close();
  });
  beforeEach(() => {
    w = world();
    delivered = [];
    lost = false;
    linear = channel();
  });
  afterEach(async () => {
    await linear.close();
    front.faults.splice(0);
  });
}
