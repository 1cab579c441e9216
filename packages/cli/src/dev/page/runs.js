// What agents did: the list of runs, and one run as steps.
import { chip, difference, el, empty, moment, printable, span, tree } from "/view.js";

/** The newest runs. */
export function runList({ runs }) {
  if (runs.length === 0) return empty("No runs yet", "Each agent run that calls a tool appears here.");
  const rows = runs.map((run) =>
    el(
      "li",
      {},
      el("a", { href: `#/runs/${encodeURIComponent(run.id)}` }, printable(run.id)),
      el("span", {}, `agent ${printable(run.agent)} in ${printable(run.environment)}`),
      el("span", { class: "quiet" }, moment(run.started_at), ` · ${run.entries} entries`),
    ),
  );
  return el("section", {}, el("h1", {}, "Runs"), el("ul", { class: "rows" }, ...rows));
}

/** One run, step by step. */
export function runPage(run) {
  return el(
    "section",
    {},
    el("h1", {}, printable(run.id)),
    el(
      "p",
      { class: "quiet" },
      `agent ${printable(run.agent)} in ${printable(run.environment)} · `,
      moment(run.started_at),
    ),
    ...run.steps.map((step, index) =>
      step.kind === "call" ? callStep(step, index, run) : otherStep(step, index, run),
    ),
  );
}

function callStep(step, index, run) {
  const stages = [chip(step.verdict ?? "proposed")];
  if (step.approval !== null) {
    const by = step.approval.by;
    stages.push(
      chip(step.approval.answer ?? "waiting"),
      by === null ? "" : ` by ${printable(by.id)}${by.verified ? "" : ", not verified"}`,
    );
  }
  if (step.outcome !== null) stages.push(chip(step.outcome));
  else if (step.ran !== null) stages.push(chip("executing"));
  const changes = step.edited && step.ran !== null ? changed(step.args, step.ran) : [];
  return el(
    "article",
    { class: "card" },
    el("header", {}, el("h2", { class: "tool" }, `${index + 1}. ${printable(step.tool)}`), clock(step, run)),
    el("p", { class: "stages" }, ...stages),
    step.reason === null || step.verdict === "allow"
      ? null
      : el("p", {}, printable(step.reason), " ", el("code", { class: "quiet" }, printable(step.rules.join(", ")))),
    tree(step.args ?? {}),
    changes.length === 0 ? null : el("h2", {}, "Changed by the approver"),
    changes.length === 0 ? null : difference(changes),
    step.outcome === null ? null : details("Result", step.result),
  );
}

function changed(before, after, path = "") {
  const both = [before, after].every((value) => value !== null && typeof value === "object");
  if (!both || Array.isArray(before) !== Array.isArray(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
  }
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    changed(before[key], after[key], Array.isArray(before) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`),
  );
}

function otherStep(step, index, run) {
  return el(
    "article",
    { class: "card small" },
    el("header", {}, el("h2", { class: "tool" }, `${index + 1}. ${printable(step.type)}`), clock(step, run)),
    details("Content", step.parts),
  );
}

function details(title, value) {
  const plain = value === null || typeof value !== "object";
  return el(
    "details",
    {},
    el("summary", {}, title),
    plain ? el("code", { class: "value" }, printable(JSON.stringify(value))) : tree(value),
  );
}

function clock(step, run) {
  return el("span", { class: "quiet" }, `+${span(Date.parse(step.at) - Date.parse(run.started_at))}`);
}
