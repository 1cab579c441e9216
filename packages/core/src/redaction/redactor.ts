/**
 * Redaction of the record: what is masked was never hashed and never written. The call itself is untouched: its digest and
 * its approval bind the exact arguments, and the rows of a call and its approval hold them until each is over.
 */
import { type ApprovalRecord, isClosed, withArguments } from "../approval/approval.ts";
import { SafeRunError } from "../errors.ts";
import type { Keeping } from "../keeping.ts";
import type { CallRecord } from "../lifecycle.ts";
import type { EntryDraft, PartDraft } from "../log/entry.ts";
import { encodePart } from "../log/part.ts";
import { cardsIn } from "../policy/change/cards.ts";
import { ibansIn } from "../policy/change/ibans.ts";
import { secretsIn } from "../policy/change/secrets.ts";
import type { RedactedKind } from "../policy/model.ts";
import type { Random, StateRow, Transaction } from "../ports.ts";
import { parseArgumentPath } from "../search/query.ts";
import { fromBase64 } from "../value/bytes.ts";
import { canonicalJson, type Json } from "../value/json.ts";
import { createFormFinder, type Span } from "./forms.ts";
import { type Finder, MASK, masked, maskedAt, maskedText, pointersTo } from "./mask.ts";
import { REDACTED_PART, withMaskedPaths } from "./masked-paths.ts";
import { sealedIn } from "./seal.ts";

export interface RedactorOptions {
  /** Exact values, each of at least `LEAST_SECRET` characters; their encodings are found too. */
  readonly secrets?: readonly string[];
  /** Default: keys and tokens (`secret`). `card` and `iban` on demand, each with its check digits. */
  readonly kinds?: readonly RedactedKind[];
  /** Tool → paths in its calls, `args.card.number`, `result.lines[].token`. Only where they stand as such. */
  readonly paths?: Readonly<Record<string, readonly string[]>>;
}

export interface Redactor {
  /** Before its commitment is named: a part with what was masked in it, and where. */
  part(part: PartDraft): PartDraft;
  /** Everything of a transaction that is kept for good. The second time nothing is left to mask. */
  transaction(transaction: Transaction, random: Random): Transaction;
}

/** What the gate does to content whose commitment it names itself: exactly what the store's commits would do to it. */
export interface PartRecorder extends Pick<Redactor, "part"> {
  /** Sealed as its entry will be. @throws SafeRunError as `sealedEntry`, and where nobody seals here. */
  sealed(part: PartDraft, of: Pick<EntryDraft, "type" | "run" | "model">, keep: Keeping): PartDraft;
}

/** A shorter one would be found in every other text. */
const LEAST_SECRET = 6;

/** Characters of the shortest card number, IBAN, key or token. */
const LEAST_FORM = 13;

const FINDERS: Readonly<Record<RedactedKind, Finder>> = { card: cardsIn, iban: ibansIn, secret: secretsIn };

/** How a path names the content of a part. */
const ROOTS: Readonly<Record<string, string>> = { arguments: "args", result: "result" };

/** @throws SafeRunError `option.invalid` for a secret that is too short, a kind or a path that is none. */
export function createRedactor(options: RedactorOptions): Redactor {
  const find = finderOf(options);
  const paths = pathsOf(options.paths ?? {});

  function maskPart(part: PartDraft, tool: string | undefined): PartDraft {
    // It was masked before it was sealed; what is found in a cipher text is chance.
    if (sealedIn(part.bytes) !== undefined) return part;
    const content = contentIn(part.bytes);
    const pointers = declaredIn(part.name, content, tool);
    const opened = unwrapped(pointers.length === 0 ? content : maskedAt(content, pointers), find);
    const found = masked(opened, find);
    if (opened === content && found.paths.length === 0) return part;
    const all = [...new Set([...pointers, ...found.paths])];
    const text = canonicalJson(found.value);
    const before = part.masked ?? [];
    return { ...part, bytes: encoder.encode(text), masked: [...before, ...(all.length === 0 ? [""] : all)] };
  }

  function declaredIn(part: string, content: Json, tool: string | undefined): readonly string[] {
    // What was no call names its tool itself, if at all.
    if (part === "request" && isRequest(content)) {
      return declaredIn("arguments", content.arguments, content.tool).map((pointer) => `/arguments${pointer}`);
    }
    const declared = tool === undefined || !Object.hasOwn(paths, tool) ? [] : (paths[tool] ?? []);
    return declared.flatMap(([root, ...path]) => (root === ROOTS[part] ? pointersTo(content, path) : []));
  }

  function maskEntry(entry: EntryDraft, random: Random, tools: ReadonlyMap<string, string>): EntryDraft {
    if (entry.parts === undefined) return entry;
    const tool = entry.tool ?? (entry.call === undefined ? undefined : tools.get(entry.call));
    const parts = entry.parts.map((part) => (isOurs(entry, part) ? part : maskPart(part, tool)));
    return { ...entry, parts: withMaskedPaths(parts, random) };
  }

  /** While it is open, it says where its arguments will be masked: whoever closes it may know none of the secrets. */
  function maskApproval(approval: ApprovalRecord): ApprovalRecord {
    const inText = (text: string): string => maskedText(text, find);
    const content = contentIn(encoder.encode(approval.bytes));
    const found = [...declaredIn("arguments", content, approval.tool), ...masked(content, find).paths];
    const pointers = [...new Set([...(approval.masked ?? []), ...found])];
    const known = pointers.length === 0 ? approval : { ...approval, masked: pointers };
    if (!isClosed(known.state)) return known;
    const without = withArguments(known, (args) => masked(maskedAt(args, pointers), find).value);
    const note = (text: string | null): string | null => (text === null ? null : inText(text));
    const { decision } = without;
    return {
      ...without,
      reasons: without.reasons.map((reason) => ({ ...reason, reason: inText(reason.reason) })),
      votes: without.votes.map((vote) => ({ ...vote, note: note(vote.note) })),
      decision: decision === null ? null : { ...decision, note: note(decision.note) },
    };
  }

  /** Nothing runs it again, and a person who finds out what became of it needs no secret. */
  function maskCall(call: CallRecord): CallRecord {
    if (call.state !== "unknown" || call.bytes === null) return call;
    const content = contentIn(encoder.encode(call.bytes));
    const pointers = declaredIn("arguments", content, call.tool);
    return { ...call, bytes: canonicalJson(masked(maskedAt(content, pointers), find).value) };
  }

  /** A no that stands repeats the note of whoever said it. What the others hold is compared, or sent as it is. */
  function maskRow(row: StateRow): StateRow {
    return row.kind === "sticky" ? { ...row, value: masked(row.value, find).value } : row;
  }

  return {
    part: (part) => maskPart(part, undefined),
    transaction(transaction, random) {
      const { calls = [], approvals = [], rows = [], entries } = transaction;
      const tools = new Map([
        ...approvals.map(({ row }) => [row.call, row.tool] as const),
        ...calls.map(({ row }) => [row.id, row.tool] as const),
      ]);
      return {
        ...transaction,
        entries: entries.map((entry) => maskEntry(entry, random, tools)),
        ...(calls.length === 0 ? {} : { calls: calls.map(({ row, expect }) => ({ row: maskCall(row), expect })) }),
        ...(approvals.length === 0
          ? {}
          : { approvals: approvals.map(({ row, expect }) => ({ row: maskApproval(row), expect })) }),
        ...(rows.length === 0 ? {} : { rows: rows.map(({ row, expect }) => ({ row: maskRow(row), expect })) }),
      };
    },
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** What the log's own proofs are made of holds nothing of anybody's. */
function isOurs({ type }: EntryDraft, { name }: PartDraft): boolean {
  return (
    type === "log.opened" ||
    type === "log.rotated" ||
    type === "log.recovered" ||
    type === "log.archived" ||
    name === REDACTED_PART
  );
}

function finderOf({ secrets = [], kinds = ["secret"] }: RedactorOptions): Finder {
  for (const secret of secrets) {
    if (typeof secret !== "string" || secret.length < LEAST_SECRET) {
      throw invalid(`a secret of fewer than ${LEAST_SECRET} characters cannot be told from other text`);
    }
  }
  for (const kind of kinds) {
    if (!Object.hasOwn(FINDERS, kind)) {
      throw invalid(`\`${String(kind)}\` is no kind; there are ${Object.keys(FINDERS).join(", ")}`);
    }
  }
  const exact = createFormFinder(secrets);
  const finders = [...new Set(kinds)].map((kind) => FINDERS[kind]);
  return (text) => {
    if (text.length < LEAST_FORM) return exact(text);
    const plain = loosened(text);
    const found: Span[] = [...exact(text)];
    for (const finder of finders) found.push(...finder(text), ...(plain === text ? [] : finder(plain)));
    return found;
  };
}

/** JSON inside of a text: an escape is no letter before a key. Of the same length, so that places stay. */
function loosened(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\+(?:u[0-9a-fA-F]{4}|[bfnrt"/])?/g, (sequence) => " ".repeat(sequence.length));
}

type DeclaredPath = readonly string[];

function pathsOf(
  given: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, readonly DeclaredPath[]>> {
  return Object.fromEntries(Object.entries(given).map(([tool, texts]) => [tool, texts.map(declaredPath)]));
}

function declaredPath(text: string): DeclaredPath {
  const path = parseArgumentPath(text);
  if (path === undefined || !(path[0] === "args" || path[0] === "result") || path.length < 2) {
    throw invalid(`\`${text}\` is no path to redact: write \`args.card.number\` or \`result.lines[].token\``);
  }
  return path;
}

function isRequest(content: Json): content is { readonly tool: string; readonly arguments: Json } {
  return (
    typeof content === "object" &&
    content !== null &&
    "arguments" in content &&
    "tool" in content &&
    typeof content.tool === "string"
  );
}

/** `encodePart` wrote it. */
function contentIn(bytes: Uint8Array): Json {
  try {
    return JSON.parse(decoder.decode(bytes)) as Json;
  } catch (cause) {
    throw new SafeRunError("log.malformed", "content that is no JSON cannot be redacted", { cause });
  }
}

/** Bytes and broken texts that stand in an encoding: where something is found in them, nothing of them is left. */
function unwrapped(content: Json, find: Finder): Json {
  if (typeof content !== "object" || content === null || !("encoding" in content)) return content;
  const { encoding, data } = content;
  const bytes = typeof data === "string" ? fromBase64(data) : undefined;
  if (typeof data !== "string" || bytes === undefined) return content;
  const text = encoding === "utf-16" ? utf16(bytes) : latin1(bytes);
  if (find(text).length === 0 && find(data).length === 0) return content;
  return encoding === "utf-16" ? contentIn(encodePart(maskedText(text, find))) : MASK;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function utf16(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    text += String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  }
  return text;
}

function invalid(message: string): SafeRunError {
  return new SafeRunError("option.invalid", message);
}
