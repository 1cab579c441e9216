/**
 * MinHash: 16 values of 32 bits over a text's word 3-shingles. The share of equal slots estimates how much two texts share
 * (Jaccard). Kept as 128 hex digits, so that a fingerprint is plain JSON.
 */
const SLOTS = 16;
const DIGITS = 8;
/** Words that count; of a longer text the first and the last half of them. Bounds the cost of one result. */
const WORDS = 1_024;

/** Odd multipliers and offsets, one pair a slot: fixed for ever, since stored fingerprints are compared with new ones. */
const MULTIPLIERS = new Int32Array(SLOTS);
const OFFSETS = new Int32Array(SLOTS);
for (let slot = 0, seed = 0x9e3779b9; slot < SLOTS; slot++) {
  seed = scramble(seed + 0x6d2b79f5);
  MULTIPLIERS[slot] = seed | 1;
  seed = scramble(seed + 0x6d2b79f5);
  OFFSETS[slot] = seed;
}

/** 128 hex digits; texts without a word have a value of their own. */
export function minHash(text: string): string {
  const words = wordHashes(text);
  const least = new Uint32Array(SLOTS).fill(0xffffffff);
  const shingles = Math.max(1, words.length - 2);
  for (let at = 0; at < shingles; at++) {
    const shingle = scramble(
      Math.imul(words[at] ?? 1, 0x85ebca6b) ^ Math.imul(words[at + 1] ?? 2, 0xc2b2ae35) ^ (words[at + 2] ?? 3),
    );
    for (let slot = 0; slot < SLOTS; slot++) {
      const mixed = Math.imul(shingle ^ (OFFSETS[slot] ?? 0), MULTIPLIERS[slot] ?? 1);
      const value = (mixed ^ (mixed >>> 15)) >>> 0;
      if (value < (least[slot] ?? 0)) least[slot] = value;
    }
  }
  let hex = "";
  for (const value of least) hex += value.toString(16).padStart(DIGITS, "0");
  return hex;
}

/** Equal slots of 16; 0 where either is no MinHash. */
export function equalSlots(one: string, other: string): number {
  if (one.length !== SLOTS * DIGITS || other.length !== SLOTS * DIGITS) return 0;
  let equal = 0;
  for (let at = 0; at < one.length; at += DIGITS) {
    if (one.slice(at, at + DIGITS) === other.slice(at, at + DIGITS)) equal++;
  }
  return equal;
}

/** FNV-1a of each word in lower case; a word is letters, digits and everything beyond ASCII. */
function wordHashes(text: string): readonly number[] {
  const first: number[] = [];
  let hash = 0;
  let inside = false;
  for (let at = 0; at <= text.length; at++) {
    const letter = letterAt(text, at);
    if (letter === 0) {
      if (inside) first.push(hash);
      inside = false;
      hash = 0;
    } else {
      hash = Math.imul((inside ? hash : 0x811c9dc5) ^ letter, 0x01000193);
      inside = true;
    }
  }
  return first.length <= WORDS ? first : [...first.slice(0, WORDS / 2), ...first.slice(-WORDS / 2)];
}

/** The code of a letter or digit, in lower case; 0 for what separates words. */
function letterAt(text: string, at: number): number {
  if (at >= text.length) return 0;
  const code = text.charCodeAt(at);
  if (code >= 97 && code <= 122) return code;
  if (code >= 65 && code <= 90) return code + 32;
  if (code >= 48 && code <= 57) return code;
  return code > 127 ? code : 0;
}

function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
