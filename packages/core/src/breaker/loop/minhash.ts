/**
 * MinHash over a text's word 3-shingles: the share of equal slots estimates how much two texts share (Jaccard).
 *
 * Each shingle is hashed four times, and of each hash the least value of every quarter of its range is kept (one permutation
 * hashing): 16 slots for a quarter of the work of 16 hashes. A quarter that no shingle fell into takes its neighbour's value,
 * which keeps the estimate without bias (Shrivastava and Li, 2014). Kept as 64 hex digits, so that a fingerprint is plain
 * JSON; those of 128 are of another making, are compared among themselves, and share nothing with these.
 */
const SLOTS = 16;
const HASHES = 4;
const QUARTERS = 4;
/** Of a longer text so many bytes at each end count. Bounds the cost of one result. */
const EDGE = 4_096;

/** Odd multipliers and offsets, one pair a hash: fixed for ever, since stored fingerprints are compared with new ones. */
const MULTIPLIERS = new Int32Array(HASHES);
const OFFSETS = new Int32Array(HASHES);
for (let at = 0, seed = 0x9e3779b9; at < HASHES; at++) {
  seed = scramble(seed + 0x6d2b79f5);
  MULTIPLIERS[at] = seed | 1;
  seed = scramble(seed + 0x6d2b79f5);
  OFFSETS[at] = seed;
}

/** Byte → letter or digit in lower case; 0 for what separates words. Beyond ASCII all are letters. */
const LETTERS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte);
  return byte > 127 ? byte : /[a-z0-9]/i.test(letter) ? letter.toLowerCase().charCodeAt(0) : 0;
});
/** Of JSON texts: `\n` stands between words. */
const BACKSLASH = 0x5c;

const EMPTY = 0x7fffffff;

/** Of the text that is being read: nothing else runs meanwhile. */
const least = new Int32Array(SLOTS);

/** Each as hex digits. */
const DIGITS = 4;
const HEX = new TextEncoder().encode("0123456789abcdef");
const hex = new Uint8Array(SLOTS * DIGITS);
const decoder = new TextDecoder();

/** 64 hex digits over `text`, UTF-8; texts without a word have a value of their own. */
export function minHash(text: Uint8Array): string {
  least.fill(EMPTY);
  addWords(text.length <= 2 * EDGE ? text : edgesOf(text));
  return slotsText();
}

/** With a byte in between that is no letter. */
function edgesOf(text: Uint8Array): Uint8Array {
  const edges = new Uint8Array(2 * EDGE + 1);
  edges.set(text.subarray(0, EDGE));
  edges.set(text.subarray(-EDGE), EDGE + 1);
  return edges;
}

/** Equal slots of 16; 0 where they are not two MinHashes of one making. */
export function equalSlots(one: string, other: string): number {
  const digits = one.length / SLOTS;
  if (one.length !== other.length || (digits !== DIGITS && digits !== 2 * DIGITS)) return 0;
  if (one === other) return SLOTS;
  let equal = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    let same = true;
    for (let at = slot * digits; same && at < (slot + 1) * digits; at++) {
      same = one.charCodeAt(at) === other.charCodeAt(at);
    }
    if (same) equal++;
  }
  return equal;
}

/** FNV-1a of each word in lower case; a word is letters, digits and everything beyond ASCII. */
function addWords(text: Uint8Array): void {
  let words = 0;
  let before = 1;
  let last = 2;
  let hash = 0;
  for (let at = 0; at <= text.length; at++) {
    const byte = text[at] ?? 0;
    const letter = LETTERS[byte] ?? 0;
    if (letter !== 0) {
      hash = Math.imul((hash === 0 ? 0x811c9dc5 : hash) ^ letter, 0x01000193);
      continue;
    }
    if (byte === BACKSLASH) at++;
    if (hash === 0) continue;
    if (++words > 2) addShingle(before, last, hash);
    before = last;
    last = hash;
    hash = 0;
  }
  // One or two words, or none, are a shingle with what stands for the others.
  if (words < 3) addShingle(before, last, words);
}

function addShingle(one: number, two: number, three: number): void {
  const shingle = scramble(Math.imul(one, 0x85ebca6b) ^ Math.imul(two, 0xc2b2ae35) ^ three);
  for (let at = 0; at < HASHES; at++) {
    const mixed = Math.imul(shingle ^ (OFFSETS[at] ?? 0), MULTIPLIERS[at] ?? 1);
    const value = mixed ^ (mixed >>> 15);
    const slot = at * QUARTERS + (value >>> 30);
    if (value < (least[slot] ?? EMPTY)) least[slot] = value;
  }
}

function slotsText(): string {
  for (let slot = 0; slot < SLOTS; slot++) {
    const first = slot - (slot % QUARTERS);
    let from = slot;
    // At least one of the four is there: every text has a shingle.
    while (least[from] === EMPTY) from = first + ((from + 1) % QUARTERS);
    // Of a least value the high digits say little.
    const value = least[from] ?? 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      hex[slot * DIGITS + digit] = HEX[(value >>> (12 - 4 * digit)) & 15] ?? 0;
    }
  }
  return decoder.decode(hex);
}

function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
