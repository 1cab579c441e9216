/** `size`, `type`, and the conversions between kinds. What has no exact or sensible result is an error, never a guess. */
import { decimalOf, decimalOfDouble, formatDecimal, parseDecimal } from "../decimal.ts";
import { Fault } from "../issues.ts";
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp, secondsOf, timestamp } from "../time.ts";
import { BOOL, BYTES, DECIMAL, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, TYPE, UINT } from "../types.ts";
import {
  CelTypeValue,
  type CelValue,
  Double,
  intOf,
  keysOf,
  kindOf,
  type Outcome,
  TEXT_TOO_LONG,
  textFits,
  uintOf,
} from "../values.ts";
import { global, method, type Overload } from "./overload.ts";
import { characterCount } from "./text.ts";

/** `fatal`: bytes that are no UTF-8 are an error, not replacement characters. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function int(value: bigint | null, offset: number): Outcome {
  return (value === null ? null : intOf(value)) ?? new Fault("`int` of a value that is no 64-bit integer", offset);
}

function uint(value: bigint | null, offset: number): Outcome {
  return (
    (value === null ? null : uintOf(value)) ?? new Fault("`uint` of a value that is no unsigned 64-bit integer", offset)
  );
}

/** Towards zero. Null for NaN, infinities, and what 64 bits surely do not hold. −2^63 may be a rounded smaller number. */
function truncated(value: number): bigint | null {
  return value > -(2 ** 63) && value < 2 ** 64 ? BigInt(Math.trunc(value)) : null;
}

function wholeNumber(text: string): bigint | null {
  return /^[+-]?\d{1,20}$/.test(text) ? BigInt(text.startsWith("+") ? text.slice(1) : text) : null;
}

function double(text: string, offset: number): Outcome {
  // Not `NaN` or `Infinity`: every comparison with a NaN is false, and a deny rule on it would never match.
  const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? new Double(number) : new Fault("`double` of a text that is no number", offset);
}

const TRUE: ReadonlySet<string> = new Set(["true", "True", "TRUE", "t", "1"]);
const FALSE: ReadonlySet<string> = new Set(["false", "False", "FALSE", "f", "0"]);

function bool(text: string, offset: number): Outcome {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : new Fault("`bool` of a text that is neither true nor false", offset);
}

function utf8(bytes: Uint8Array, offset: number): Outcome {
  try {
    return decoder.decode(bytes);
  } catch {
    return new Fault("`string` of bytes that are no UTF-8", offset);
  }
}

function bytesOf(text: string, offset: number): Outcome {
  return textFits(text) ? encoder.encode(text) : new Fault(TEXT_TOO_LONG, offset);
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function typeName(value: CelValue): string {
  const kind = kindOf(value);
  switch (kind) {
    case "null":
      return "null_type";
    case "timestamp":
      return "google.protobuf.Timestamp";
    case "duration":
      return "google.protobuf.Duration";
    case "optional":
      return "optional_type";
    default:
      return kind;
  }
}

export const CONVERSIONS: readonly Overload[] = [
  global("size", ["string"], INT, ([text]) => characterCount(text)),
  method("size", ["string"], INT, ([text]) => characterCount(text)),
  global("size", ["bytes"], INT, ([bytes]) => bytes.length),
  method("size", ["bytes"], INT, ([bytes]) => bytes.length),
  global("size", ["list"], INT, ([list]) => list.length),
  method("size", ["list"], INT, ([list]) => list.length),
  global("size", ["map"], INT, ([map]) => keysOf(map).length),
  method("size", ["map"], INT, ([map]) => keysOf(map).length),
  global("type", ["dyn"], TYPE, ([value]) => new CelTypeValue(typeName(value))),
  global("dyn", ["dyn"], DYN, ([value]) => value),
  global("int", ["int"], INT, ([value]) => value),
  global("int", ["uint"], INT, ([{ value }], offset) => int(value, offset)),
  // The double 2^63 is above every int, and so is everything that rounds to it.
  global("int", ["double"], INT, ([{ value }], offset) => int(truncated(value), offset)),
  global("int", ["string"], INT, ([text], offset) => int(wholeNumber(text), offset)),
  global("int", ["timestamp"], INT, ([time], offset) => int(secondsOf(time), offset)),
  global("uint", ["uint"], UINT, ([value]) => value),
  global("uint", ["int"], UINT, ([value], offset) => uint(BigInt(value), offset)),
  global("uint", ["double"], UINT, ([{ value }], offset) => uint(value < 0 ? null : truncated(value), offset)),
  global("uint", ["string"], UINT, ([text], offset) => uint(/^\d/.test(text) ? wholeNumber(text) : null, offset)),
  global("double", ["double"], DOUBLE, ([value]) => value),
  global("double", ["int"], DOUBLE, ([value]) => new Double(Number(value))),
  global("double", ["uint"], DOUBLE, ([{ value }]) => new Double(Number(value))),
  global("double", ["string"], DOUBLE, ([text], offset) => double(text, offset)),
  global("bool", ["bool"], BOOL, ([value]) => value),
  global("bool", ["string"], BOOL, ([text], offset) => bool(text, offset)),
  global("string", ["string"], STRING, ([text]) => text),
  global("string", ["bool"], STRING, ([value]) => String(value)),
  global("string", ["int"], STRING, ([value]) => String(value)),
  global("string", ["uint"], STRING, ([{ value }]) => String(value)),
  global("string", ["double"], STRING, ([{ value }]) => doubleText(value)),
  global("string", ["bytes"], STRING, ([bytes], offset) => utf8(bytes, offset)),
  global("string", ["timestamp"], STRING, ([time]) => formatTimestamp(time)),
  global("string", ["decimal"], STRING, ([value]) => formatDecimal(value)),
  global("string", ["duration"], STRING, ([span]) => formatDuration(span)),
  global("bytes", ["bytes"], BYTES, ([bytes]) => bytes),
  global("bytes", ["string"], BYTES, ([text], offset) => bytesOf(text, offset)),
  global("timestamp", ["timestamp"], TIMESTAMP, ([time]) => time),
  global("timestamp", ["int"], TIMESTAMP, ([seconds], offset) => timestamp(BigInt(seconds) * 1_000_000_000n, offset)),
  global("timestamp", ["string"], TIMESTAMP, ([text], offset) => parseTimestamp(text, offset)),
  global("dec", ["decimal"], DECIMAL, ([value]) => value),
  global("dec", ["int"], DECIMAL, ([value]) => decimalOf(value) ?? null),
  global("dec", ["uint"], DECIMAL, ([value]) => decimalOf(value) ?? null),
  global("dec", ["double"], DECIMAL, ([{ value }], offset) => decimalOfDouble(value, offset)),
  global("dec", ["string"], DECIMAL, ([text], offset) => parseDecimal(text, offset)),
  global("duration", ["duration"], DURATION, ([span]) => span),
  global("duration", ["string"], DURATION, ([text], offset) => parseDuration(text, offset)),
];
