// Pieces of the page. Whatever agents, tools and models wrote reaches the document through `textContent` alone.

const UNSAFE = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}/gu;

/** One line in which every invisible or direction-changing character stands as its escape. */
export function printable(text) {
  return String(text).replace(UNSAFE, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u{${character.codePointAt(0).toString(16)}}`;
  });
}

/** An element with properties and children; texts become text nodes. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A value whole, as nested lists of names and values; `first` names top-level fields that come first. */
export function tree(value, { first = [], editable = [] } = {}) {
  const roots = first.map((path) => path.split(/[.[]/)[0]);
  const rank = (name) => (roots.includes(name) ? roots.indexOf(name) : roots.length);
  return branch(value, "", (names) => names.sort((a, b) => rank(a) - rank(b)), editable);
}

function branch(value, path, order, editable) {
  const names = Array.isArray(value) ? value.map((_, index) => String(index)) : order(Object.keys(value));
  if (names.length === 0) return el("p", { class: "quiet" }, path === "" ? "no arguments" : "empty");
  return el(
    "dl",
    { class: "tree" },
    ...names.map((name) => {
      const inner = value[name];
      const at = Array.isArray(value) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
      const nested = inner !== null && typeof inner === "object" && Object.keys(inner).length > 0;
      const mark = editable.includes(at) ? el("span", { class: "mark" }, "editable") : null;
      return el(
        "div",
        { class: nested ? "nested" : "" },
        el("dt", {}, Array.isArray(value) ? `[${name}]` : printable(name)),
        el("dd", {}, nested ? branch(inner, at, (keys) => keys, editable) : leaf(inner), mark),
      );
    }),
  );
}

export function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  const text = value === undefined ? "absent" : printable(JSON.stringify(value));
  return el("code", { class: `value ${kind}` }, text);
}

/** Old and new value of each changed path. */
export function difference(changes) {
  return el(
    "dl",
    { class: "tree" },
    ...changes.map(({ path, before, after }) =>
      el(
        "div",
        {},
        el("dt", {}, printable(path)),
        el("dd", {}, el("del", {}, leaf(before)), " → ", el("ins", {}, leaf(after))),
      ),
    ),
  );
}

export function chip(word) {
  const good = ["allow", "approved", "consumed", "succeeded", "applied"];
  const bad = ["deny", "denied", "failed", "expired", "withdrawn", "unknown"];
  const tone = good.includes(word) ? "good" : bad.includes(word) ? "bad" : "wait";
  return el("span", { class: `chip ${tone}` }, word === "consumed" ? "approved, used" : printable(word));
}

/** `3 h 20 min`, `45 s`. */
export function span(ms) {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ];
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const at = units.findIndex(([, size]) => ms >= size);
  const [[unit, size], next] = units.slice(at);
  const rest = next === undefined ? 0 : Math.floor((ms % size) / next[1]);
  return `${Math.floor(ms / size)} ${unit}${rest > 0 ? ` ${rest} ${next[0]}` : ""}`;
}

export function moment(iso) {
  return el("time", { dateTime: iso }, new Date(iso).toLocaleString());
}

export function valueAt(args, path) {
  return segments(path).reduce(
    (node, key) => (node !== null && typeof node === "object" && Object.hasOwn(node, key) ? node[key] : undefined),
    args,
  );
}

function segments(path) {
  return path
    .split(/\.|(?=\[)/)
    .filter((segment) => segment !== "")
    .map((segment) => segment.replace(/^\[(\d+)\]$/, "$1"));
}

/** Says that there is nothing, and what would be here. */
export function empty(title, text) {
  return el("section", { class: "empty" }, el("h1", {}, title), el("p", {}, text));
}
