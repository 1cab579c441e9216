/**
 * Where a route puts its question: `slack:#ops`, `linear:FIN`, `pagerduty:payments`, `webhook:ops`, `email:x@example.com`,
 * `dashboard`, `cli`. Pure and without any look-up, so that the policy format, the gate and the channels read one text alike.
 */
import { nearest } from "./policy/nearest.ts";

/** Those with a target behind a colon, and what it must look like. */
const TARGETS = {
  slack: { pattern: /^(?:#[^\s#@,:<>"'`\p{C}]{1,80}|[CGD][A-Z0-9]{6,20})$/u, example: "slack:#ops-approvals" },
  linear: { pattern: /^[A-Z][A-Z0-9]{0,11}$/, example: "linear:OPS" },
  pagerduty: { pattern: /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/, example: "pagerduty:payments" },
  webhook: { pattern: /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/, example: "webhook:ops" },
  email: {
    pattern: /^[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}$/,
    example: "email:finance@example.com",
  },
} as const;

/** The channels of a route that carry a question out of the store. */
export type ChannelKind = keyof typeof TARGETS;

export const CHANNEL_KINDS = Object.keys(TARGETS) as readonly ChannelKind[];

export type RouteTarget =
  /** These look at the store by themselves: nothing is sent. */
  { readonly kind: "dashboard" | "cli" } | { readonly kind: ChannelKind; readonly target: string };

export type ParsedRouteTarget =
  | { readonly ok: true; readonly target: RouteTarget }
  /** One line, lower case, with what to write instead. */
  | { readonly ok: false; readonly message: string };

const LONGEST = 320;

/** Total: anything but a place that a channel could know is a message, and nothing is guessed. */
export function parseRouteTarget(text: string): ParsedRouteTarget {
  if (text === "dashboard" || text === "cli") return { ok: true, target: { kind: text } };
  const shown = `\`${printable(text)}\``;
  if (text.length > LONGEST) return { ok: false, message: `${shown} is too long for a place to ask` };
  const colon = text.indexOf(":");
  const kind = colon === -1 ? text : text.slice(0, colon);
  if (!isChannelKind(kind)) {
    const near = nearest(kind, ["dashboard", "cli", ...CHANNEL_KINDS]);
    const meant = near === undefined ? `it is ${ALL}` : `did you mean \`${near}\`?`;
    return { ok: false, message: `${shown} is no place to ask; ${meant}` };
  }
  const { pattern, example } = TARGETS[kind];
  const target = colon === -1 ? "" : text.slice(colon + 1);
  if (!pattern.test(target)) return { ok: false, message: `${shown} names no target; write it like \`${example}\`` };
  return { ok: true, target: { kind, target } };
}

/** The text that is parsed to this target. */
export function routeTargetText(target: RouteTarget): string {
  return "target" in target ? `${target.kind}:${target.target}` : target.kind;
}

const ALL = `\`dashboard\`, \`cli\`, or like ${CHANNEL_KINDS.map((kind) => `\`${TARGETS[kind].example}\``).join(", ")}`;

function isChannelKind(word: string): word is ChannelKind {
  return Object.hasOwn(TARGETS, word);
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[\p{C}`]/gu, "?");
}
