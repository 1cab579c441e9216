/** Globs of rule scopes: `*` stands for any characters, dots too; everything else stands for itself. */

export function isGlob(pattern: string): boolean {
  return pattern.includes("*");
}

/** Whether the whole name fits. At most `pattern.length × name.length` steps, both of which are bounded. */
export function globMatches(pattern: string, name: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let resume = 0;
  while (from < name.length) {
    if (pattern[at] === "*") {
      star = at++;
      resume = from;
    } else if (pattern[at] === name[from]) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** Whether some name fits both patterns. */
export function globsMeet(a: string, b: string): boolean {
  let row = new Array<boolean>(b.length + 1).fill(false);
  for (let i = a.length; i >= 0; i--) {
    const next: boolean[] = new Array<boolean>(b.length + 1).fill(false);
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length && j === b.length) next[j] = true;
      else if (a[i] === "*") next[j] = row[j] === true || (j < b.length && next[j + 1] === true);
      else if (b[j] === "*") next[j] = next[j + 1] === true || (i < a.length && row[j] === true);
      else next[j] = i < a.length && j < b.length && a[i] === b[j] && row[j + 1] === true;
    }
    row = next;
  }
  return row[0] === true;
}
