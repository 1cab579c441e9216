/**
 * Content sealed at rest: the stored bytes of a part are a cipher text, and its commitment covers those. Verifiers need no
 * key, copies stay sealed, and destroying a key takes the content out of all of them.
 */
import { toHex } from "../call.ts";
import type { Keeping, Seal } from "../keeping.ts";
import { LIMITS } from "../limits.ts";
import { AGENT_PART } from "../log/agent-id.ts";
import type { CallEntry } from "../log/call-entry.ts";
import type { EntryDraft, PartDraft, StoredEntry, StoredPart } from "../log/entry.ts";
import { parseHeader, parseHeaderText } from "../log/header.ts";
import type { Hash, Opener, SealedBytes, Sealer } from "../ports.ts";
import { UNSEARCHED_PART } from "../search/unsearched.ts";
import { fromBase64, toBase64 } from "../value/bytes.ts";
import { canonicalJson } from "../value/json.ts";
import { REDACTED_PART } from "./masked-paths.ts";

/** Who seals, and into which log: a part of another log does not open. */
export interface Sealing {
  readonly sealer: Sealer;
  readonly log: string;
}

/**
 * What a key is found by: a digest, since rows that outlive an erasure hold it. A `conversation` is what models are asked and
 * answer in a run and in all that it starts, by the id of the first.
 */
export function sealScope(seal: Seal | "conversation", name: string, hash: Hash): string {
  return toHex(hash.sha256(encoder.encode(`saferun/seal-scope/v1\u0000${seal}\u0000${name}`)));
}

/**
 * What is found by it stays in the clear: whose data it is, for an erasure (`context` names the principal of a run); names of
 * agents and tools; where something was masked; and what a call of a model cost.
 */
const IN_THE_CLEAR: readonly string[] = [
  "subject",
  "context",
  AGENT_PART,
  "tool",
  "spend",
  REDACTED_PART,
  UNSEARCHED_PART,
];

/**
 * Where nobody seals here the entry keeps its mark: the store does it, or refuses the entry.
 * @throws SafeRunError `seal.missing` where the key is not at hand; what the keys' file throws.
 */
export function sealedEntry(entry: EntryDraft, keep: Keeping, sealing: Sealing | undefined): EntryDraft {
  const { seal, scope, ties = [] } = keep;
  // Before anything that they speak of is recorded. What begins without content needs no key yet.
  const speaks = seal === undefined || entry.parts?.some(({ name }) => !IN_THE_CLEAR.includes(name)) === true;
  if (sealing !== undefined && speaks) for (const tie of ties) sealing.sealer.tie(tie);
  if (seal === undefined || entry.parts === undefined) return entry;
  if (sealing === undefined || scope === undefined) return { ...entry, keep };
  return { ...entry, parts: entry.parts.map((part) => sealedPart(part, entry, keep, sealing)) };
}

/** Where an entry is, as far as its sealed parts are bound to it. */
type SealedPlace = Pick<EntryDraft, "type" | "run" | "call" | "model">;

/** One part before its commitment is named; the same where it is not to be sealed, or is. @throws as `sealedEntry`. */
export function sealedPart(part: PartDraft, of: SealedPlace, { seal, scope }: Keeping, sealing: Sealing): PartDraft {
  if (seal === undefined || scope === undefined) return part;
  if (IN_THE_CLEAR.includes(part.name) || sealedIn(part.bytes) !== undefined) return part;
  return { ...part, bytes: sealedBytes(part, scope, placeOf(sealing.log, of.run, of, part.name), sealing) };
}

function sealedBytes({ bytes }: PartDraft, scope: string, place: Uint8Array, { sealer }: Sealing): Uint8Array {
  const sealed = encoded(sealer.seal(scope, bytes, place));
  if (sealed.length <= LIMITS.partBytes) return sealed;
  // What no longer fits is left out as what is too long in the clear: recording never fails because of its content.
  const omitted = encoder.encode(canonicalJson({ bytes: bytes.length, encoding: "omitted" }));
  return encoded(sealer.seal(scope, omitted, place));
}

function encoded({ key, bytes }: SealedBytes): Uint8Array {
  return encoder.encode(`${PREFIX}${key}${BETWEEN}${toBase64(bytes)}${SUFFIX}`);
}

/** Canonical JSON. Nobody's content looks like it: `encodePart` wraps an object that has a key `encoding`. */
const PREFIX = '{"encoding":"sealed","key":"';
const BETWEEN = '","sealed":"';
const SUFFIX = '"}';
const KEY = /^[0-9a-f]{32}$/;
const KEY_CHARACTERS = 32;

/** Undefined for what is in the clear. */
export function sealedIn(bytes: Uint8Array): SealedBytes | undefined {
  for (let index = 0; index < PREFIX.length; index++) if (bytes[index] !== PREFIX.charCodeAt(index)) return undefined;
  return sealedInText(decoder.decode(bytes));
}

function sealedInText(text: string): SealedBytes | undefined {
  if (!text.startsWith(PREFIX) || !text.endsWith(SUFFIX)) return undefined;
  const key = text.slice(PREFIX.length, PREFIX.length + KEY_CHARACTERS);
  const begin = PREFIX.length + KEY_CHARACTERS + BETWEEN.length;
  const bytes = fromBase64(text.slice(begin, -SUFFIX.length));
  return KEY.test(key) && text.slice(begin - BETWEEN.length, begin) === BETWEEN && bytes !== undefined
    ? { key, bytes }
    : undefined;
}

/**
 * The entry with what the opener opens. What it does not open has no content, so that nobody takes a cipher text for it, and
 * counts as erased where nobody can open it any more.
 */
export function openedEntry(entry: StoredEntry, opener: Opener): StoredEntry {
  let isChanged = false;
  const open = (part: StoredPart): StoredPart => {
    const sealed = part.bytes === null ? undefined : sealedIn(part.bytes);
    if (sealed === undefined) return part;
    const header = parseHeader(entry.header);
    const bytes = opener.open(sealed, placeOf(header.log, header.run?.id, header, part.name));
    isChanged = true;
    if (bytes === "destroyed") return { ...part, salt: null, bytes: null, sealed: sealed.key };
    return bytes === undefined ? { ...part, bytes: null, sealed: sealed.key } : { ...part, bytes };
  };
  const parts = entry.parts.map(open);
  return isChanged ? { ...entry, parts } : entry;
}

export function openedCallEntry(entry: CallEntry, opener: Opener): CallEntry {
  let parts: Map<string, string | null> | undefined;
  for (const [name, text] of entry.parts) {
    const sealed = text === null ? undefined : sealedInText(text);
    if (sealed === undefined) continue;
    const header = parseHeaderText(entry.header);
    const bytes = opener.open(sealed, placeOf(header.log, header.run?.id, header, name));
    parts ??= new Map(entry.parts);
    parts.set(name, bytes === undefined || bytes === "destroyed" ? null : decoder.decode(bytes));
  }
  return parts === undefined ? entry : { ...entry, parts };
}

/**
 * Bound to what is sealed: at another place of the log it does not open. Which entries a question to a model takes, and
 * whether it is refused, is known only after its messages are sealed.
 */
function placeOf(
  log: string,
  run: string | undefined,
  { type, call, model }: Pick<EntryDraft, "type" | "call" | "model">,
  part: string,
): Uint8Array {
  const asked = type === "model.messages" || type === "model.refused" ? "model.requested" : type;
  const place = ["saferun/seal/v1", log, run ?? "", call ?? "", asked, part, ...(model === undefined ? [] : [model])];
  return encoder.encode(place.join("\u0000"));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
