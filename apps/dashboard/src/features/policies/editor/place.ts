/**
 * Where in a policy file somebody types: the path to it, and whether a key or a value is wanted. Read from the lines before
 * the cursor alone, since what is being typed is rarely whole YAML.
 */
export interface Place {
  /** Keys, and numbers for the items of lists. */
  readonly path: readonly (string | number)[];
  readonly wants: "key" | "value";
  /** Keys that the same mapping has already, before the cursor. */
  readonly siblings: ReadonlySet<string>;
}

interface Level {
  readonly column: number;
  readonly name: string | number;
}

/** A list may stand at the column of its own key, and its items' keys stand deeper than the dash. */
const ITEM_DEPTH = 0.5;
const ITEM = /^( *)- +/;
const BLOCK_KEY = /^( *)("[^"]*"|'[^']*'|[^\s"'#[\]{},&*!|>%@`-][^:#]*?) *:(?: +|$)/;

export function placeAt(text: string): Place {
  const lines = text.split("\n");
  let levels: Level[] = [];
  const siblings = new Map<string, Set<string>>();
  for (let at = 0; at < lines.length; at++) {
    const isLast = at === lines.length - 1;
    let line = lines[at] ?? "";
    if (!isLast && /^\s*(#|$)/.test(line)) continue;
    for (let item = ITEM.exec(line); item !== null; item = ITEM.exec(line)) {
      const column = item[1]?.length ?? 0;
      const before = levels.find((one) => one.column === column + ITEM_DEPTH)?.name;
      const kept = levels.filter(
        (one) => one.column <= column && (one.column < column || typeof one.name === "string"),
      );
      levels = [...kept, { column: column + ITEM_DEPTH, name: typeof before === "number" ? before + 1 : 0 }];
      line = " ".repeat(item[0].length) + line.slice(item[0].length);
    }
    const key = BLOCK_KEY.exec(line);
    const column = line.length - line.trimStart().length;
    if (key === null) {
      if (!isLast) continue;
      levels = levels.filter((one) => one.column < column);
      const flow = line.trim();
      if (/^[[{]/.test(flow)) return flowPlace(flow, pathOf(levels));
      return { path: pathOf(levels), wants: "key", siblings: siblings.get(idOf(levels)) ?? new Set() };
    }
    levels = levels.filter((one) => one.column < column);
    const name = (key[2] ?? "").replace(/^["']|["']$/g, "");
    const owner = idOf(levels);
    siblings.set(owner, (siblings.get(owner) ?? new Set()).add(name));
    levels.push({ column, name });
    const value = line.slice(key[0].length);
    if (/^[[{]/.test(value)) {
      // A flow collection may go over lines: it ends where its brackets do.
      let flow = value;
      while (isOpen(flow) && at < lines.length - 1) flow += `\n${lines[++at]}`;
      if (at === lines.length - 1) return flowPlace(flow, pathOf(levels));
    } else if (isLast) return { path: pathOf(levels), wants: "value", siblings: new Set() };
  }
  return { path: pathOf(levels), wants: "key", siblings: siblings.get(idOf(levels)) ?? new Set() };
}

function pathOf(levels: readonly Level[]): (string | number)[] {
  return levels.map(({ name }) => name);
}

function idOf(levels: readonly Level[]): string {
  return JSON.stringify(levels.map(({ column, name }) => [column, name]));
}

interface Open {
  readonly map: boolean;
  key: string | undefined;
  item: number;
  readonly keys: Set<string>;
}

/** Inside `{ id: a, tool: [b` …: what is open at its end. */
function flowPlace(flow: string, base: readonly (string | number)[]): Place {
  const open: Open[] = [];
  let word = "";
  for (const token of flow.match(/"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|:(?=\s|$)|[{}[\],]|[^{}[\],:"']+|:/g) ?? []) {
    const top = open.at(-1);
    if (token === "{" || token === "[") open.push({ map: token === "{", key: undefined, item: 0, keys: new Set() });
    else if (token === "}" || token === "]") open.pop();
    else if (token === ",") {
      if (top !== undefined) {
        top.key = undefined;
        top.item++;
      }
    } else if (token === ":" && top?.map === true && top.key === undefined) {
      top.key = word.trim().replace(/^["']|["']$/g, "");
      top.keys.add(top.key);
    } else {
      word = token;
      continue;
    }
    word = "";
  }
  const inner = open.map(({ map, key, item }) => (map ? key : item)).filter((step) => step !== undefined);
  const last = open.at(-1);
  const wants = last?.map === true && last.key === undefined ? "key" : "value";
  return { path: [...base, ...inner], wants, siblings: last?.keys ?? new Set() };
}

function isOpen(flow: string): boolean {
  let depth = 0;
  for (const token of flow.match(/"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[{}[\]]/g) ?? []) {
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
  }
  return depth > 0;
}
