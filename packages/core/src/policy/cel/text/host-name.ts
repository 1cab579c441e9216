/** Names and addresses of hosts, in their one form. */

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A name of two labels or more, in lower case and without a dot at its end; null for everything else. Letters of other
 * scripts have to come in their ASCII form (`xn--…`), which is what is looked up; a name that ends in a number would be read
 * as an address by some.
 */
export function hostName(text: string): string | null {
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  // Only ASCII changes its case here: `K` (the Kelvin sign) would become a `k`.
  if (name.length > 253 || !/^[\x00-\x7f]*$/.test(text)) return null;
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  if (labels.length < 2 || /^(?:\d+|0x[0-9a-f]*)$/.test(last)) return null;
  return labels.every((label) => LABEL.test(label) && isPlainLabel(label)) ? name : null;
}

/** Hyphens at the third and fourth place announce an encoding; only `xn--` has one. */
function isPlainLabel(label: string): boolean {
  return label.slice(2, 4) !== "--" || (label.startsWith("xn--") && label.length > 4);
}

export interface Address {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** `192.0.2.1` or `2001:db8::1`, in the one form that RFC 5952 gives them; null for everything else. */
export function parseAddress(text: string): Address | null {
  if (text.length > 45) return null;
  const value = text.includes(":") ? version6(text) : version4(text);
  return value === null ? null : { version: text.includes(":") ? 6 : 4, value };
}

function version4(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function version6(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!groups.every((group) => /^(?:0|[1-9a-f][0-9a-f]{0,3})$/.test(group))) return null;
  if (text !== writeVersion6(groups)) return null;
  return groups.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n);
}

/** The longest run of two zero groups or more, the first of equals, becomes `::`. */
function writeVersion6(groups: readonly string[]): string {
  let [start, length] = [0, 1];
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === "0") to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

/** Ranges of version 6 whose addresses stand for ones of version 4: compatible, mapped, translated, NAT64, 6to4, Teredo. */
const EMBEDDING: readonly (readonly [network: bigint, prefix: number])[] = [
  [0n, 96],
  [0xffffn << 32n, 96],
  [0xffff_0000n << 32n, 96],
  [(0x64n << 112n) | (0xff9bn << 96n), 96],
  [(0x64n << 112n) | (0xff9bn << 96n) | (1n << 80n), 48],
  [0x2002n << 112n, 16],
  [0x2001n << 112n, 32],
];

/** True for an address that reaches another one of version 4; `::` and `::1` are themselves. */
export function embedsVersion4({ version, value }: Address): boolean {
  if (version === 4 || value <= 1n) return false;
  return EMBEDDING.some(([network, prefix]) => value >> BigInt(128 - prefix) === network >> BigInt(128 - prefix));
}
