/** Values of a framework as the record keeps them: JSON where they can be, so that they can be read and searched. */
import { LIMITS, toBase64 } from "@saferun/core";

/**
 * A copy without what is `undefined`, with bytes, dates and addresses as text. What is neither (classes, functions) and
 * what nests too deeply stays as it is; the record then keeps the nearest text of it.
 */
export function recordable(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > LIMITS.jsonDepth) return value;
  if (value instanceof Uint8Array) return { encoding: "base64", data: toBase64(value) };
  if (value instanceof ArrayBuffer) return recordable(new Uint8Array(value));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return value.href;
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : recordable(item, depth + 1)));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(present.map(([key, item]) => [key, recordable(item, depth + 1)]));
}
