/** Credentials in a text, whole, so that nothing of them is left when they are taken out. */
import { KEY_FORM, PEM_BEGIN } from "../secret-forms.ts";
import type { Found } from "./find.ts";

/** Keys that are meant to be published stand here too: a record need not hold them. */
const KEY = new RegExp(`${KEY_FORM}|(?<![A-Za-z0-9])pk_(?:live|test)_[A-Za-z0-9]{10,}`, "g");
/** To its end, or to the end of the text: half of a key is still one. */
const PEM = new RegExp(`${PEM_BEGIN}[\\s\\S]*?(?:${PEM_BEGIN.replace("BEGIN", "END")}|$(?![\\s\\S]))`, "g");

export function secretsIn(text: string): readonly Found[] {
  return [KEY, PEM].flatMap((shape) =>
    [...text.matchAll(shape)].map(({ index, 0: matched }) => ({ start: index, end: index + matched.length })),
  );
}
