/** Trees and reports for programs: the same in snake_case. Recorded content stands under `value` and stays as it is. */
import type { Json } from "../value/json.ts";

type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Uppercase<First>
    ? First extends Lowercase<First>
      ? `${First}${Snake<Rest>}`
      : `_${Lowercase<First>}${Snake<Rest>}`
    : `${First}${Snake<Rest>}`
  : Name;

/** `T` as it stands on the wire. */
export type Wire<T> = T extends string | number | boolean | null
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : {
        readonly [Key in keyof T as Key extends string ? Snake<Key> : never]: Key extends "value"
          ? T[Key]
          : Wire<T[Key]>;
      };

/** Made of plain data only. */
export function toWire<T>(of: T): Wire<T> {
  return wired(of) as Wire<T>;
}

function wired(of: unknown): unknown {
  if (Array.isArray(of)) return of.map(wired);
  if (typeof of !== "object" || of === null) return of;
  const fields = Object.entries(of).map(([key, value]: [string, Json | undefined]) => [
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    key === "value" ? value : wired(value),
  ]);
  return Object.fromEntries(fields);
}
