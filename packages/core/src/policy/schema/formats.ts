/** The values of `format` that are asserted. Each is at least as strict as its specification; others are refused at load. */
import { parseTimestamp } from "../cel/time.ts";
import { Timestamp } from "../cel/values.ts";

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const MAILBOX = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]*$/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;

const FORMATS = {
  "date-time": isMoment,
  date: (text: string) => DATE.test(text) && isMoment(`${text}T00:00:00Z`),
  time: (text: string) => TIME.test(text),
  email: isEmail,
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: isIpv6,
  uri: (text: string) => URI.test(text) && !BAD_ESCAPE.test(text) && isUrl(text),
  uuid: (text: string) => UUID.test(text),
} as const;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS);

export function isFormat(name: string): name is FormatName {
  return Object.hasOwn(FORMATS, name);
}

export function hasFormat(name: FormatName, text: string): boolean {
  return FORMATS[name](text);
}

function isMoment(text: string): boolean {
  return text.length <= 64 && parseTimestamp(text, 0) instanceof Timestamp;
}

/** One plain address: no display name, no comment, no quoted mailbox, no address literal. */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  const mailbox = text.slice(0, Math.max(0, at));
  const host = text.slice(at + 1);
  return mailbox.length <= 64 && MAILBOX.test(mailbox) && host.includes(".") && isHostname(host);
}

function isHostname(text: string): boolean {
  return text.length > 0 && text.length <= 253 && text.split(".").every((label) => LABEL.test(label));
}

function isIpv4(text: string): boolean {
  const octets = text.length <= 15 ? text.split(".") : [];
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255);
}

function isIpv6(text: string): boolean {
  if (text.length > 45) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const counts = halves.map((half, index) => groupsOf(half, index === halves.length - 1));
  if (counts.includes(-1)) return false;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return halves.length === 2 ? total <= 7 : total === 8;
}

/** How many groups of 16 bits a piece holds, or -1. Only at the very end may an IPv4 address stand for two. */
function groupsOf(piece: string, last: boolean): number {
  if (piece === "") return 0;
  const groups = piece.split(":");
  const tail = groups.at(-1) ?? "";
  const mapped = last && isIpv4(tail);
  const plain = mapped ? groups.slice(0, -1) : groups;
  return plain.every((group) => GROUP.test(group)) ? plain.length + (mapped ? 2 : 0) : -1;
}

function isUrl(text: string): boolean {
  try {
    return new URL(text).protocol !== "";
  } catch {
    return false;
  }
}
