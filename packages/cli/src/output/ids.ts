/**
 * Ids as people read and type them. They begin with the time, so that those of one day begin alike: what tells them apart
 * is their end. `appr_…07a272` is such a short form.
 */
import { usage } from "../exit.ts";
import { printable, short } from "./printable.ts";

/** One that SafeRun made; others are names that an application gave. */
const GENERATED = /^([a-z]+_)[0-9a-f]{32}$/;
/** Characters that are shown at least, and that have to be typed: fewer would too easily mean another one. */
const LEAST = 6;

/** Id → its short form, which no other of these has. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const known = [...new Set(ids.filter((id) => GENERATED.test(id)))];
  let length = LEAST;
  while (length < 32 && new Set(known.map((id) => id.slice(-length))).size < known.length) length++;
  return (id) => id.replace(GENERATED, (_, kind: string) => `${kind}…${id.slice(-length)}`);
}

/** Enough of an id to look for the others that it may mean. */
export function isTypedId(typed: string): boolean {
  const { start, end } = partsOf(typed);
  return start.replace(/^[a-z]+_/, "").length + end.length >= LEAST;
}

/**
 * The one that is meant: by its id, a start or an end of it, or a short form. Undefined where none is.
 * @param what They are, as `approvals`. @param about Of one of them, where several are meant.
 * @throws CommandError usage where several are meant.
 */
export function meantBy<Item extends { readonly id: string }>(
  items: readonly Item[],
  typed: string,
  what: string,
  about: (item: Item) => string = () => "",
): Item | undefined {
  const exact = items.find(({ id }) => id === typed);
  if (exact !== undefined || !isTypedId(typed)) return exact;
  const found = items.filter(({ id }) => isMeant(id, partsOf(typed)));
  const [first, second] = found;
  if (second === undefined) return first;
  const shown = shortIds(found.map(({ id }) => id));
  const named = found.slice(0, MOST).map((item) => {
    const said = about(item);
    return `${printable(shown(item.id))}${said === "" ? "" : ` (${short(said, 40)})`}`;
  });
  const rest = found.length > MOST ? ` and ${found.length - MOST} more` : "";
  throw usage(`\`${printable(typed)}\` may mean ${found.length} ${what}: ${named.join(", ")}${rest}; give more of it`);
}

/** Candidates that are named. */
const MOST = 5;

interface Parts {
  readonly start: string;
  readonly end: string;
  /** Something stands between them. */
  readonly apart: boolean;
}

function partsOf(typed: string): Parts {
  const [start = "", ...rest] = typed.split(/…|\.{3}/);
  return { start, end: rest.join("…"), apart: rest.length > 0 };
}

function isMeant(id: string, { start, end, apart }: Parts): boolean {
  if (apart) return id.length >= start.length + end.length && id.startsWith(start) && id.endsWith(end);
  return id.startsWith(start) || id.endsWith(start);
}
