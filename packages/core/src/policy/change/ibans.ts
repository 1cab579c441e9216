/** Bank accounts in the international form (ISO 13616): country, check digits, and the length of that country. */
import type { Found } from "./find.ts";

const START = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \u00a0-]?[A-Za-z0-9])/g;
/** Country and length, as the registry lists them. */
const LENGTHS =
  "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22" +
  "GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30" +
  "NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20";
const LENGTH_OF = new Map(
  [...LENGTHS.matchAll(/([A-Z]{2})(\d{2})/g)].map(([, country, length]) => [country, Number(length)]),
);

export function ibansIn(text: string): readonly Found[] {
  return [...text.matchAll(START)].flatMap(({ index, 0: head }) => {
    const length = LENGTH_OF.get(head.slice(0, 2).toUpperCase());
    const found = length === undefined ? undefined : collect(text, index, length);
    return found !== undefined && remainder(found.compact) === 1 ? [{ start: index, end: found.end }] : [];
  });
}

/** So many letters and digits, with at most one separator between two of them. */
function collect(
  text: string,
  start: number,
  length: number,
): { readonly compact: string; readonly end: number } | undefined {
  let compact = "";
  let separated = true;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? "";
    if (/[A-Za-z0-9]/.test(character)) {
      compact += character.toUpperCase();
      separated = false;
      if (compact.length === length)
        return /[A-Za-z0-9]/.test(text[at + 1] ?? "") ? undefined : { compact, end: at + 1 };
    } else if (!separated && /[ \u00a0-]/.test(character)) separated = true;
    else return undefined;
  }
  return undefined;
}

/** ISO 7064 MOD 97-10: the first four characters stand last, letters count from 10. */
function remainder(compact: string): number {
  let rest = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}
