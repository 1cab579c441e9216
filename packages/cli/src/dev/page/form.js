// Forms as the server describes them: a field for each argument that may be changed, and what may be permitted too.
import { el, printable } from "/view.js";

/** Inputs for the fields of an edit form. `answers` are sent back as they were typed or chosen. */
export function editInputs(fields) {
  const made = fields.map((field) => ({ field, ...inputOf(field) }));
  const nodes = made.map(({ field, input }) => labelled(field.path, labelOf(field), input));
  return {
    nodes,
    focus: () => made[0]?.input.focus(),
    answers: () => Object.fromEntries(made.flatMap(({ field, read }) => (read === null ? [] : [[field.path, read()]]))),
    changes: () =>
      made.flatMap(({ field, read }) => {
        const [before, after] = [field.input === "several" ? field.chosen : field.text, read?.()];
        const same = read === null || JSON.stringify(before) === JSON.stringify(after);
        return same ? [] : [{ path: field.path, before, after }];
      }),
    mistaken: ({ fields: mistakes }) =>
      showMistakes(
        nodes,
        mistakes.map(({ path, message }) => [path, message]),
      ),
  };
}

/** Inputs for what is permitted beside the call. */
export function grantInputs(offer) {
  const window = el("select", {}, ...offer.for.map((value) => el("option", { value }, WINDOWS[value] ?? value)));
  window.value = offer.default.for;
  const number = (value) => el("input", { inputMode: "numeric", autocomplete: "off", value });
  const count = number(offer.default.count);
  const most = offer.amount === null ? null : number("");
  const nodes = [
    labelled("for", "For how long", window),
    labelled("count", "How many more calls", count),
    ...(most === null ? [] : [labelled("most", `How much ${printable(offer.amount)}, over all of them`, most)]),
  ];
  return {
    nodes,
    focus: () => window.focus(),
    answers: () => ({ for: window.value, count: count.value, ...(most === null ? {} : { most: most.value }) }),
    mistaken: ({ grant }) =>
      showMistakes(
        nodes,
        grant.map(({ field, message }) => [field, message]),
      ),
  };
}

const WINDOWS = {
  "15m": "15 minutes",
  "1h": "one hour",
  "4h": "four hours",
  run: "until this run ends, a day at most",
};

/** `read` is null where what stands there cannot be shown, and so stays. */
function inputOf(field) {
  if (!field.typeable) {
    const input = el("p", { class: "quiet" }, "holds characters that cannot be shown, and stays as it is");
    return { input, read: null };
  }
  if (field.input === "several") {
    const boxes = field.choices.map((choice) => {
      const box = el("input", { type: "checkbox", checked: field.chosen.includes(choice) });
      return { choice, box, node: el("label", { class: "choice" }, box, printable(choice)) };
    });
    const input = el("fieldset", {}, ...boxes.map(({ node }) => node));
    return { input, read: () => boxes.filter(({ box }) => box.checked).map(({ choice }) => choice) };
  }
  if (field.input === "one") {
    const choices = field.optional ? ["", ...field.choices] : field.choices;
    const options = choices.map((value) => el("option", { value }, value === "" ? "(nothing)" : printable(value)));
    const input = el("select", {}, ...options);
    input.value = field.text;
    return { input, read: () => input.value };
  }
  const input = el("textarea", { rows: Math.min(12, field.text.split("\n").length), spellcheck: false });
  input.value = field.text;
  return { input, read: () => input.value };
}

/** The path first: what stands behind it is the text of whoever made the tool. */
function labelOf({ path, label, fits, description }) {
  const about = [label === path ? "" : label, fits, description].filter((text) => text !== "").map(printable);
  return `${printable(path)}${about.length === 0 ? "" : ` (${about.join("; ")})`}`;
}

function labelled(name, text, input) {
  // A list of boxes has labels of its own, and a label inside another one names nothing.
  const tag = input.tagName === "FIELDSET" || input.tagName === "P" ? "div" : "label";
  const node = el(tag, { class: "field" }, text, input);
  node.dataset.name = name;
  return node;
}

function showMistakes(nodes, mistakes) {
  for (const node of nodes) {
    node.querySelector(".mistake")?.remove();
    const found = mistakes.find(([name]) => name === node.dataset.name);
    if (found !== undefined) node.append(el("span", { class: "mistake bad", role: "alert" }, printable(found[1])));
  }
}
