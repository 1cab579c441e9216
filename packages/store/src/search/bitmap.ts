/** Sets of items within one chunk, one bit a position. */
import { CHUNK } from "./schema.ts";

export type Bitmap = Uint32Array;

const WORDS = CHUNK / 32;

export function emptyBitmap(): Bitmap {
  return new Uint32Array(WORDS);
}

/** A copy, aligned; a blob of another length is an empty set. */
export function bitmapOf(bytes: Uint8Array | undefined): Bitmap {
  const bitmap = emptyBitmap();
  if (bytes?.length === bitmap.byteLength) new Uint8Array(bitmap.buffer).set(bytes);
  return bitmap;
}

export function bytesOf(bitmap: Bitmap): Uint8Array {
  return new Uint8Array(bitmap.buffer, bitmap.byteOffset, bitmap.byteLength);
}

export function setBit(bitmap: Bitmap, at: number): void {
  bitmap[at >>> 5] = (bitmap[at >>> 5] ?? 0) | (1 << (at & 31));
}

export function clearBit(bitmap: Bitmap, at: number): void {
  bitmap[at >>> 5] = (bitmap[at >>> 5] ?? 0) & ~(1 << (at & 31));
}

export function intersect(into: Bitmap, other: Bitmap): void {
  for (let word = 0; word < WORDS; word++) into[word] = (into[word] ?? 0) & (other[word] ?? 0);
}

export function unite(into: Bitmap, other: Bitmap): void {
  for (let word = 0; word < WORDS; word++) into[word] = (into[word] ?? 0) | (other[word] ?? 0);
}

export function subtract(into: Bitmap, other: Bitmap): void {
  for (let word = 0; word < WORDS; word++) into[word] = (into[word] ?? 0) & ~(other[word] ?? 0);
}

export function isEmpty(bitmap: Bitmap): boolean {
  return bitmap.every((word) => word === 0);
}

/** Positions in the set, ascending. */
export function positionsIn(bitmap: Bitmap): number[] {
  const found: number[] = [];
  for (let word = 0; word < WORDS; word++) {
    for (let rest = (bitmap[word] ?? 0) >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) {
      found.push(word * 32 + 31 - Math.clz32(rest & -rest));
    }
  }
  return found;
}
