/** Addresses in free text: everything that some program would make clickable. Too many is safe, too few is not. */
import { LIMITS } from "../../../limits.ts";
import { Fault } from "../issues.ts";
import { LIST_TOO_LONG, type Outcome } from "../values.ts";
import { hasDisguisedAddress, hasInvisible } from "./hidden.ts";

/** No address goes on behind these. Every other mark may be part of one: `https://acme.com,@evil.example/` leads to the latter. */
const BREAKS = /[\s<>"]+/;
const LONGEST = 4_096;

/** Begins an address wherever it stands, also without slashes, as browsers are content with. */
const SCHEME =
  /[A-Za-z][A-Za-z0-9+.-]{1,30}:\/\/|(?:https?|wss?|ftp|mailto|tel|sms|javascript|vbscript|data|blob|file|magnet):|(?<!:)[/\\]{2}(?=[^/\\])/gi;
/** Where a word may be taken apart to find a name in it. */
const JOINTS = /[='()[\]{}|^`,;*&!?#]|:(?!\d)|[/\\]{2}/;
const MAIL = /^[^@/\\:]+@[^@/\\:]+$/;
/** Two labels or more, the last one of letters; an optional port and rest. */
const NAME = /^(?:[\p{L}\p{N}_-]+\.)+(?:\p{L}{2,}|xn--[A-Za-z0-9-]+)\.?(?:$|[:/?#])/u;
const NUMBERS = /^(?:\d{1,3}\.){3}\d{1,3}(?:$|[:/?#])/;
/** Ends of file names that are no top-level domains, so that `report.pdf` is no address. */
const FILES =
  /^[^/:?#]*\.(?:pdf|png|jpe?g|gif|svg|docx?|xlsx?|pptx?|csv|tsv|txt|html?|json|xml|ya?ml|toml|js|jsx|ts|tsx|css|log|exe|dll|mp3|mp4|wav|tar|gz)\.?$/i;
/** Characters written as HTML writes them: `https&colon;&#47;/…`. */
const ENCODED = /&(?:#|(?:colon|sol|period|bsol|Tab|NewLine|commat|lpar);)/;

/** The addresses in a text, each once, in order. Mail addresses are none; `mailto:` is one. */
export function links(text: string, offset: number): Outcome {
  if (hasInvisible(text) || hasDisguisedAddress(text) || ENCODED.test(text)) {
    return new Fault("`links` of a text with invisible, disguised or encoded characters", offset);
  }
  const found = new Set<string>();
  for (const piece of text.split(BREAKS)) {
    if (piece.length > LONGEST) return new Fault(`\`links\` of a text with a word over ${LONGEST} characters`, offset);
    for (const link of linksIn(piece)) found.add(link);
    if (found.size > LIMITS.celListItems) return new Fault(LIST_TOO_LONG, offset);
  }
  return [...found];
}

/** Most words hold no mark that an address needs. */
const MARKED = /[:/\\]|\.[^.]/;

function linksIn(piece: string): readonly string[] {
  if (!MARKED.test(piece)) return [];
  const written = [...piece.matchAll(SCHEME)].filter(({ index, 0: start }) => index + start.length < piece.length);
  if (written.length > 0) return written.map(({ index }) => trimmed(piece.slice(index)));
  return piece.split(JOINTS).map(bare).filter(isAddress);
}

/** Without the marks before and behind a word, and the slashes that a line end may have left. */
function bare(part: string): string {
  return trimmed(part.replace(/^[_~.:/\\@$%+-]+/, ""));
}

function isAddress(part: string): boolean {
  return !MAIL.test(part) && !FILES.test(part) && (NAME.test(part) || NUMBERS.test(part));
}

/** Without the marks that end a sentence, a quotation, or the parts of Markdown. */
function trimmed(piece: string): string {
  return piece.replace(/[.,;:!?'()[\]{}|*_~`]+$/, "");
}
