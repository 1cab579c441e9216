/**
 * PagerDuty as a channel: it pages whoever is on call and links to the place where a person decides. Nothing that happens
 * in PagerDuty decides: acknowledging means "I have seen it", and whoever resolves an incident has approved nothing (traps.md, 16).
 */
import { createHmac } from "node:crypto";
import { type AlarmText, type ApprovalRecord, type DecisionPorts, outcomeText } from "@saferun/core";
import { type Channel, type OnError, type PausedApproval, warnOperator } from "../channel.ts";
import { Desk } from "../desk.ts";
import { BODY_BYTES, readBody } from "../intake.ts";
import { at, jsonOf } from "../json-body.ts";
import { sameText } from "../nonce.ts";
import { unconfigured } from "../people.ts";
import { post, postFailure } from "../post.ts";
import { printable, short } from "../shown.ts";

export interface PagerDutyOptions {
  /** Your name for a service → the integration key of its Events API v2 integration. */
  readonly services: Readonly<Record<string, string>>;
  /** Where the person who is paged can decide. */
  readonly link: (approval: ApprovalRecord) => string;
  /** Of a v3 webhook subscription, if there is one; without it every incoming request is refused. */
  readonly webhookSecret?: string;
  readonly severity?: "critical" | "error" | "warning" | "info";
  readonly ports?: DecisionPorts;
  /** Default: PagerDuty's own; `https://events.eu.pagerduty.com` for its service region in Europe. */
  readonly apiUrl?: string;
  readonly onError?: OnError;
}

export interface PagerDutyMessage {
  readonly service: string;
  /** The approval's id: PagerDuty holds one alert under it, however often it is sent. */
  readonly dedupKey: string;
}

/** Target: the name of a service. */
export type PagerDutyChannel = Channel<string, PagerDutyMessage>;

const SUMMARY_CHARACTERS = 1_024;
const MOST_REASONS = 10;

/**
 * @example
 * const pagerduty = createPagerDuty({ services: { payments: key }, link: ({ id }) => `https://gate.example.com/approvals/${id}` });
 * onPause: async (a) => pagerduty.notify("payments", a)
 */
export function createPagerDuty(options: PagerDutyOptions): PagerDutyChannel {
  const { services, link, severity = "critical", webhookSecret } = options;
  const url = `${options.apiUrl ?? "https://events.pagerduty.com"}/v2/enqueue`;
  const onError = options.onError ?? warnOperator;

  async function enqueue(service: string, id: string, event: object): Promise<PagerDutyMessage> {
    const key = { routing_key: keyOf(service), dedup_key: id };
    const answer = jsonOf(await post(url, {}, JSON.stringify({ ...key, ...event })));
    const dedupKey = at(answer, "dedup_key");
    return { service, dedupKey: typeof dedupKey === "string" ? dedupKey : id };
  }

  function keyOf(service: string): string {
    const key = Object.hasOwn(services, service) ? services[service] : undefined;
    if (!key) throw unconfigured(`\`services\` has no integration key for \`${printable(service)}\``);
    return key;
  }

  const desk = new Desk<PagerDutyMessage>({
    via: "pagerduty",
    // Nothing of PagerDuty carries an answer; nonces are made and never taken.
    secret: Object.values(services).join("\n"),
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    onError,
    failure: (error) => postFailure(error, "pagerduty"),
    post: (service, approval) =>
      enqueue(service, approval.id, {
        event_action: "trigger",
        client: "SafeRun",
        client_url: link(approval),
        links: [{ href: link(approval), text: "Decide" }],
        payload: payload(approval, "waits for a person", severity),
      }),
    // Whoever resets the breaker resolves it: PagerDuty is not told what becomes of an alarm.
    alarm: (service, id, alarm) =>
      enqueue(service, id, { event_action: "trigger", client: "SafeRun", payload: alarmPayload(alarm, severity) }),
    close: ({ service }, approval) =>
      enqueue(service, approval.id, {
        event_action: "resolve",
        payload: payload(approval, outcomeText(approval), "info"),
      }),
  });

  return {
    async notify(service: string, paused: PausedApproval) {
      keyOf(service);
      return desk.send(service, paused);
    },
    update: (approval) => desk.update(approval),
    async handle(request) {
      try {
        if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
        const body = await readBody(request, BODY_BYTES);
        if (body === undefined) return new Response("too large", { status: 413 });
        if (webhookSecret === undefined || !isPagerDutyRequest(request.headers, body, webhookSecret)) {
          return new Response("not signed by pagerduty", { status: 401 });
        }
        // Acknowledged, reassigned, resolved: good to know for people, and none of it is an answer.
        return new Response(null, { status: 202 });
      } catch (error) {
        onError(error);
        return new Response("not read", { status: 500 });
      }
    },
    direct: desk.direct,
    close: () => desk.close(),
  };
}

/** `X-PagerDuty-Signature: v1=HEX,v1=HEX` over the raw body; several while secrets change. */
function isPagerDutyRequest(headers: Headers, body: Uint8Array, secret: string): boolean {
  const expected = `v1=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const signatures = (headers.get("x-pagerduty-signature") ?? "").split(",");
  return signatures.some((signature) => sameText(signature.trim(), expected));
}

/** No arguments: whoever is paged looks at them behind the link, where all of them are. */
function payload(approval: ApprovalRecord, what: string, severity: string): object {
  const { id, tool, agent, environment, run, reasons, createdAt, deadline } = approval;
  return {
    summary: short(`SafeRun: a call of ${tool} by ${agent} in ${environment} ${what}`, SUMMARY_CHARACTERS),
    source: short(agent, 256),
    severity,
    timestamp: new Date(createdAt).toISOString(),
    component: short(tool, 256),
    group: short(environment, 256),
    custom_details: {
      approval: id,
      run,
      status: what,
      silence_denies_at: new Date(deadline).toISOString(),
      acknowledging: "is not approving; decide behind the link",
      why: reasons.slice(0, MOST_REASONS).map(({ id: rule, reason }) => short(`${rule}: ${reason}`, 512)),
    },
  };
}

function alarmPayload({ agent, environment, run, lines }: AlarmText, severity: string): object {
  return {
    summary: short(`SafeRun: ${lines.join("; ")}`, SUMMARY_CHARACTERS),
    source: short(agent, 256),
    severity,
    group: short(environment, 256),
    custom_details: { run, why: lines.slice(0, MOST_REASONS).map((line) => short(line, 512)) },
  };
}
