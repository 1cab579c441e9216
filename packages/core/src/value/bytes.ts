/** Byte strings and their text forms. Decoders are strict: one text per byte string, anything else is undefined. */

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

export function concatBytes(...pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const DIGITS = "0123456789abcdef";

/** True when the text is these bytes in lower-case hex; makes neither. */
export function isHexOf(text: string, bytes: Uint8Array): boolean {
  if (text.length !== bytes.length * 2) return false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (text.charCodeAt(index * 2) !== DIGITS.charCodeAt(byte >> 4)) return false;
    if (text.charCodeAt(index * 2 + 1) !== DIGITS.charCodeAt(byte & 15)) return false;
  }
  return true;
}

/** Lower-case hex, two digits a byte; undefined for any other text. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Two digits for each number of twelve bits. */
const PAIRS = Array.from({ length: 4_096 }, (_, bits) => ALPHABET.charAt(bits >> 6) + ALPHABET.charAt(bits & 63));

/** Standard base64 with padding (RFC 4648, 4). */
export function toBase64(bytes: Uint8Array): string {
  const whole = bytes.length - (bytes.length % 3);
  let text = "";
  for (let index = 0; index < whole; index += 3) {
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    text += `${PAIRS[group >> 12]}${PAIRS[group & 4_095]}`;
  }
  if (whole === bytes.length) return text;
  const left = bytes.length - whole;
  const group = ((bytes[whole] ?? 0) << 16) | ((bytes[whole + 1] ?? 0) << 8);
  return `${text}${PAIRS[group >> 12]}${left > 1 ? ALPHABET.charAt((group >> 6) & 63) : "="}=`;
}

/** Standard base64 with padding and zero spare bits; undefined for any other text. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let index = 0, at = 0; index < text.length; index += 4) {
    let group = 0;
    for (let digit = 0; digit < 4; digit++)
      group = (group << 6) | Math.max(0, ALPHABET.indexOf(text.charAt(index + digit)));
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) bytes[at++] = (group >> shift) & 255;
  }
  // Spare bits that are not zero would be a second text for the same bytes.
  return toBase64(bytes) === text ? bytes : undefined;
}
