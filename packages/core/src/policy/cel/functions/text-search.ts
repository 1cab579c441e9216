/** Finding a text in a text in linear time; the engine's own search is quadratic on texts made for it. */

/** Below this product of lengths the engine's own search is faster whatever the texts are. */
const SMALL_WORK = 1_048_576;

/** Like `text.indexOf(part, from)`. */
export function findText(text: string, part: string, from: number): number {
  if (part.length < 8 || (text.length - from) * part.length <= SMALL_WORK) return text.indexOf(part, from);
  return knuthMorrisPratt(text, part, from);
}

function knuthMorrisPratt(text: string, part: string, from: number): number {
  const borders = bordersOf(part);
  let matched = 0;
  for (let index = from; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    while (matched > 0 && part.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
    if (part.charCodeAt(matched) === unit) matched++;
    if (matched === part.length) return index - part.length + 1;
  }
  return -1;
}

/** For each prefix of `part`: the length of its longest proper prefix that is also its suffix. */
function bordersOf(part: string): Int32Array {
  const borders = new Int32Array(part.length);
  let border = 0;
  for (let index = 1; index < part.length; index++) {
    const unit = part.charCodeAt(index);
    while (border > 0 && part.charCodeAt(border) !== unit) border = borders[border - 1] ?? 0;
    if (part.charCodeAt(border) === unit) border++;
    borders[index] = border;
  }
  return borders;
}
