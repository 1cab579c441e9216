/**
 * The channels of a process, set up by its environment: a route's `slack:#fin` leads to a channel, or to one line that says
 * which variable is missing. Nothing is made before it is used.
 */
import {
  type ApprovalRecord,
  approvalState,
  type ChannelKind,
  type DecisionPorts,
  invariant,
  type OutboxRow,
  outboxRows,
  parseRouteTarget,
  SafeRunError,
  standingOf,
} from "@saferun/core";
import { type Channel, type OnError, type Outgoing, type PausedApproval, warnOperator } from "./channel.ts";
import { createDispatcher, type Dispatcher, type OutboxChannel } from "./dispatcher.ts";
import { createEmail, type EmailOptions } from "./email/email.ts";
import { createLinear } from "./linear/linear.ts";
import { createPagerDuty } from "./pagerduty/pagerduty.ts";
import { needed, parsePeople, unconfigured } from "./people.ts";
import { slack, slackOptions } from "./slack/environment.ts";
import { createSlack } from "./slack/slack.ts";
import { createWebhook } from "./webhook/webhook.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export interface EnvironmentOptions {
  /** For a process that answers and has not asked: the store that holds the approvals. */
  readonly ports?: DecisionPorts;
  /** Who is signed in to the page that mails link to. Absent: nobody, so that nothing can be decided there. */
  readonly identify?: EmailOptions["identify"];
  readonly onError?: OnError;
}

/** A channel of a target, with the target as the channel itself knows it: `#fin`, `FIN`, an address. */
export interface Resolved {
  readonly kind: ChannelKind;
  readonly channel: Channel<string, unknown>;
  readonly to: string;
  /** How many people may answer there; absent where nobody answers. */
  readonly approvers?: number;
}

export interface DispatchOptions {
  /** Names this process; another one for each start. */
  readonly owner: string;
  /** Whether this process listens for the answer of a question that another one has sent. Default: never. */
  readonly attends?: (approval: string) => boolean;
  readonly onError?: OnError;
}

export interface Channels {
  /**
   * Undefined for `dashboard` and `cli`, which look at the store themselves.
   * @throws SafeRunError `option.invalid` for what is no target; `channel.unconfigured` naming the variable.
   */
  resolve(target: string): Resolved | undefined;
  /**
   * Tells all of them, each whatever becomes of the others. Resolves with the vendors' ids.
   * @throws SafeRunError the first that failed, after all were tried.
   */
  notify(targets: readonly string[], paused: PausedApproval): Promise<readonly unknown[]>;
  /**
   * Sends what stands in the outbox of a store, one look at a time. A target that is not set up here is said once and left
   * to other processes.
   */
  dispatcher(ports: DecisionPorts, options: DispatchOptions): Dispatcher;
  /** A vendor's request, for the channel of that kind; `name` for a webhook's. Never rejects. */
  handle(kind: ChannelKind, request: Request, name?: string): Promise<Response>;
  /** Shows the outcome wherever it was asked. */
  update(approval: ApprovalRecord): Promise<void>;
  close(): Promise<void>;
}

/** @param variables read when a channel is first used, and no later. */
export function channelsFromEnvironment(
  variables: Variables = process.env,
  options: EnvironmentOptions = {},
): Channels {
  return registry(variables, options, () => new Map());
}

/**
 * The channels of this process, as routes name them: one of each, so that whatever asks and whatever is answered meet.
 * Its Slack is `slack` itself.
 *
 * @example
 * app.post("/slack", (c) => channels.handle("slack", c.req.raw));
 */
export const channels: Channels = registry(process.env, {}, () => new Map([["slack", slack]]));

function registry(
  variables: Variables,
  options: EnvironmentOptions,
  begin: () => Map<string, Channel<string, unknown>>,
): Channels {
  let made = begin();
  const onError = options.onError ?? warnOperator;

  function channelOf(kind: ChannelKind, name: string): Channel<string, unknown> {
    const key = kind === "webhook" || kind === "pagerduty" ? `${kind}:${name}` : kind;
    const known = made.get(key);
    if (known !== undefined) return known;
    const shared = { onError, ...(options.ports === undefined ? {} : { ports: options.ports }) };
    const channel = MAKERS[kind](variables, name, shared, options);
    made.set(key, channel);
    return channel;
  }

  function resolve(text: string): Resolved | undefined {
    const parsed = parseRouteTarget(text);
    if (!parsed.ok) throw new SafeRunError("option.invalid", parsed.message);
    if (!("target" in parsed.target)) return undefined;
    const { kind, target } = parsed.target;
    const channel = channelOf(kind, target);
    const approvers = approversOf(kind, target, variables);
    const to = kind === "webhook" ? webhookUrl(variables, target) : target;
    return { kind, channel, to, ...(approvers === undefined ? {} : { approvers }) };
  }

  return {
    resolve,
    async notify(targets, paused) {
      const told = await Promise.allSettled(
        [...new Set(targets)].map(async (target) => {
          const found = resolve(target);
          return found === undefined ? [] : found.channel.notify(found.to, paused);
        }),
      );
      for (const one of told) if (one.status === "rejected") throw one.reason;
      return told.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    },
    dispatcher(ports, { owner, attends = () => false, onError: told = onError }) {
      const missing = new Set<string>();
      return createDispatcher({
        owner,
        clock: ports.clock,
        rows: outboxRows(ports.store),
        standing: async (id) => {
          const approval = await ports.store.approval(id);
          return approval === undefined ? undefined : standingOf(approval, ports.clock.now());
        },
        onError: told,
        channels(target) {
          try {
            const found = resolve(target);
            missing.delete(target);
            return found === undefined ? undefined : outboxChannel(found, ports, attends);
          } catch (error) {
            if (!missing.has(target)) told(error);
            missing.add(target);
            return undefined;
          }
        },
      });
    },
    async handle(kind, request, name = "") {
      try {
        return await channelOf(kind, name).handle(request);
      } catch (error) {
        onError(error);
        return new Response("not set up", { status: 501 });
      }
    },
    async update(approval) {
      await Promise.all([...made.values()].map((channel) => channel.update(approval)));
    },
    async close() {
      const closing = [...made.values()];
      made = begin();
      await Promise.all(closing.map((channel) => channel.close()));
    },
  };
}

function outboxChannel(
  { channel: { direct }, to }: Resolved,
  ports: DecisionPorts,
  attends: (approval: string) => boolean,
): OutboxChannel {
  return {
    send: async (row, earlier) => direct.send(to, await outgoingOf(row, earlier, ports)),
    failure: (error) => direct.failure(error),
    attend({ approval: id }) {
      if (!attends(id)) return;
      ports.store.approval(id).then(
        (approval) => approval !== undefined && direct.attend(approval, ports),
        // The next look asks again.
        () => undefined,
      );
    },
  };
}

/** The approval as it stands now: the row says only that there is something to say. */
async function outgoingOf(row: OutboxRow, earlier: readonly string[], ports: DecisionPorts): Promise<Outgoing> {
  const { kind, alarm } = row;
  if (kind === "alarm") {
    invariant(alarm, "an alarm has a text");
    return { kind, id: row.approval, alarm };
  }
  const stored = await ports.store.approval(row.approval);
  invariant(stored, "a question has an approval");
  const approval = { ...stored, state: approvalState(stored, ports.clock.now()) };
  return kind === "asked" ? { kind, approval, ports } : { kind, approval, ports, earlier };
}

/** A target of each channel for which some variable is set, complete or not. */
export function targetsIn(variables: Variables): readonly string[] {
  const names = (pattern: RegExp): string[] =>
    Object.entries(variables).flatMap(([name, value]) => {
      const [, found] = pattern.exec(name) ?? [];
      return found === undefined || !value?.trim() ? [] : [found.toLowerCase()];
    });
  const any = (...list: readonly string[]) => list.some((name) => (variables[name]?.trim() ?? "") !== "");
  const webhooks = new Set(names(/^SAFERUN_WEBHOOK_([A-Z][A-Z0-9_]*?)_(?:URL|SECRET|ANSWER_SECRET|APPROVERS)$/));
  return [
    ...(any("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN") ? ["slack:#ops-approvals"] : []),
    ...(any("LINEAR_API_KEY", "LINEAR_WEBHOOK_SECRET") ? ["linear:OPS"] : []),
    ...names(/^PAGERDUTY_KEY_([A-Z][A-Z0-9_]*)$/).map((name) => `pagerduty:${name}`),
    ...[...webhooks].map((name) => `webhook:${name}`),
    ...(any("SAFERUN_SMTP_URL", "SAFERUN_EMAIL_PAGE") ? ["email:someone@example.com"] : []),
  ];
}

/** How many people may answer; undefined for a channel on which nobody answers. */
function approversOf(kind: ChannelKind, name: string, variables: Variables): number | undefined {
  if (kind === "pagerduty") return undefined;
  const variable = kind === "webhook" ? `SAFERUN_WEBHOOK_${upper(name)}_APPROVERS` : `SAFERUN_${upper(kind)}_APPROVERS`;
  return Object.keys(parsePeople(variables[variable] ?? "", variable)).length;
}

type Shared = Pick<EnvironmentOptions, "ports"> & { readonly onError: OnError };
type Maker = (
  variables: Variables,
  name: string,
  shared: Shared,
  options: EnvironmentOptions,
) => Channel<string, unknown>;

const MAKERS: Readonly<Record<ChannelKind, Maker>> = {
  slack: (variables, _, shared) => createSlack({ ...slackOptions(variables), ...shared }),
  linear: (variables, _, shared) =>
    createLinear({
      token: needed(variables, "LINEAR_API_KEY", "the key or token of the account that makes the issues"),
      webhookSecret: needed(variables, "LINEAR_WEBHOOK_SECRET", "the signing secret of your Linear webhook"),
      approvers: parsePeople(variables.SAFERUN_LINEAR_APPROVERS ?? "", "SAFERUN_LINEAR_APPROVERS"),
      agentSession: flag(variables, "SAFERUN_LINEAR_AGENT_SESSION"),
      ...address(variables, "LINEAR_API_URL"),
      ...shared,
    }),
  pagerduty: (variables, name, shared) => {
    const key = `PAGERDUTY_KEY_${upper(name)}`;
    const link = linkOf(variables);
    const webhookSecret = variables.PAGERDUTY_WEBHOOK_SECRET;
    return createPagerDuty({
      services: name === "" ? {} : { [name]: needed(variables, key, `the integration key of the service \`${name}\``) },
      link,
      ...(webhookSecret ? { webhookSecret } : {}),
      ...address(variables, "PAGERDUTY_API_URL"),
      ...shared,
    });
  },
  webhook: (variables, name, shared) => {
    const prefix = `SAFERUN_WEBHOOK_${upper(name)}`;
    webhookUrl(variables, name);
    return createWebhook({
      secret: needed(variables, `${prefix}_SECRET`, "what signs the questions, `whsec_…`"),
      answerSecret: needed(variables, `${prefix}_ANSWER_SECRET`, "what signs the answers, `whsec_…`"),
      approvers: parsePeople(variables[`${prefix}_APPROVERS`] ?? "", `${prefix}_APPROVERS`),
      ...shared,
    });
  },
  email: (variables, _, shared, { identify = () => undefined }) =>
    createEmail({
      smtp: needed(variables, "SAFERUN_SMTP_URL", "the mail server, `smtps://user:password@mail.example.com`"),
      from: needed(variables, "SAFERUN_EMAIL_FROM", "the sender's address"),
      page: needed(variables, "SAFERUN_EMAIL_PAGE", "the address of the page that mails link to"),
      secret: needed(variables, "SAFERUN_EMAIL_SECRET", "32 characters or more from which links are made"),
      approvers: parsePeople(variables.SAFERUN_EMAIL_APPROVERS ?? "", "SAFERUN_EMAIL_APPROVERS"),
      identify,
      ...shared,
    }),
};

/** `https://gate.example.com/approvals/{id}` */
function linkOf(variables: Variables): (approval: ApprovalRecord) => string {
  const name = "SAFERUN_APPROVAL_URL";
  const template = needed(variables, name, "where a person who is paged decides, with `{id}` for the approval");
  if (!template.includes("{id}") || !URL.canParse(template))
    throw unconfigured(`\`${name}\` must be an address with \`{id}\` in it`);
  return ({ id }) => template.replaceAll("{id}", encodeURIComponent(id));
}

function webhookUrl(variables: Variables, name: string): string {
  const variable = `SAFERUN_WEBHOOK_${upper(name)}_URL`;
  const url = needed(variables, variable, `where \`webhook:${name}\` sends its questions`);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw unconfigured(`\`${variable}\` is no address`);
  return url;
}

function address(variables: Variables, name: string): { readonly apiUrl?: string } {
  const value = variables[name];
  return value ? { apiUrl: value } : {};
}

function flag(variables: Variables, name: string): boolean {
  const value = variables[name]?.trim() ?? "";
  if (value === "" || value === "0" || value === "false") return false;
  if (value === "1" || value === "true") return true;
  throw unconfigured(`\`${name}\` is \`${value.slice(0, 40)}\`; write \`1\` or \`0\``);
}

function upper(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
