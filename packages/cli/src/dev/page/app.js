// The local page: calls that wait for a person, and what agents did.

import { editInputs, grantInputs } from "/form.js";
import { runList, runPage } from "/runs.js";
import { chip, difference, el, empty, printable, span, tree, valueAt } from "/view.js";

const POLL_MS = 1_500;
/** This origin's half of the session; the other one is a cookie that no script can read. */
const PAGE_KEY = "page-key";
const main = document.getElementById("main");
const notice = document.getElementById("notice");

/** Approvals that were decided while this page was open: they stay where they stood, with their answer. */
const answered = new Map();
/** Cards by approval id; a card is made once for each version, so that nobody's typing is lost. */
const cards = new Map();
let shown = "";

async function api(path, body) {
  const headers = { "x-saferun-page": localStorage.getItem(PAGE_KEY) ?? "" };
  const json = { method: "POST", headers: { ...headers, "content-type": "application/json" } };
  const options = body === undefined ? { headers } : { ...json, body: JSON.stringify(body) };
  const response = await fetch(path, { ...options, credentials: "same-origin", redirect: "error" });
  const text = await response.text();
  return { ok: response.ok, status: response.status, body: text === "" ? {} : JSON.parse(text) };
}

function say(text) {
  notice.hidden = text === "";
  if (notice.textContent !== text) notice.textContent = text;
}

/** The link's code is exchanged for a cookie and leaves the address bar and the history. */
async function openSession() {
  const code = location.hash.slice(1);
  if (code === "" || code.startsWith("/")) return;
  history.replaceState(null, "", "/#/approvals");
  const { ok, body } = await api("/session", { code });
  if (ok) localStorage.setItem(PAGE_KEY, body.page_key);
  // A link that was used before is no obstacle in a browser that has its cookie.
  if (!ok && (await api("/health")).status === 401) say(body.detail);
}

async function refresh() {
  const route = location.hash.startsWith("#/runs") ? location.hash.slice(1) : "/approvals";
  for (const [id, prefix] of [
    ["tab-approvals", "/approvals"],
    ["tab-runs", "/runs"],
  ]) {
    document.getElementById(id).toggleAttribute("aria-current", route.startsWith(prefix));
  }
  const run = /^\/runs\/(.+)$/.exec(route)?.[1];
  try {
    const pending = await load("/v1/approvals");
    if (pending === undefined) return;
    count(pending.approvals.filter(({ state }) => state === "pending").length);
    if (route === "/approvals") await showApprovals(pending.approvals);
    else if (run === undefined) await showWhenChanged(route, await load("/v1/runs"), runList);
    else await showWhenChanged(route, await load(`/v1/runs/${encodeURIComponent(decodeURIComponent(run))}`), runPage);
  } catch {
    say("saferun dev does not answer; this page may be out of date");
  }
}

/** What the server said, or undefined after telling the person why there is nothing. */
async function load(path) {
  const { ok, body } = await api(path);
  say(ok ? "" : body.detail);
  return ok ? body : undefined;
}

async function showWhenChanged(route, data, render) {
  const key = `${route}\n${JSON.stringify(data)}`;
  if (data === undefined || key === shown) return;
  shown = key;
  main.replaceChildren(render(data));
}

function count(waiting) {
  document.title = waiting === 0 ? "SafeRun" : `(${waiting}) SafeRun`;
  document.getElementById("tab-approvals").textContent = waiting === 0 ? "Approvals" : `Approvals (${waiting})`;
}

/** The oldest first: a new call never moves a button under somebody's finger. A list holds no arguments: cards ask for theirs. */
async function showApprovals(approvals) {
  const known = new Set(approvals.map(({ id }) => id));
  const listed = approvals.filter(({ id, state }) => state === "pending" || answered.has(id) || cards.has(id));
  listed.sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id < b.id ? -1 : 1));
  for (const id of cards.keys()) if (!known.has(id)) cards.delete(id);
  for (const { id, version, state } of listed) {
    const card = cards.get(id);
    if (card?.key === `${version} ${state}`) {
      card.tick();
      continue;
    }
    const approval = await load(`/v1/approvals/${encodeURIComponent(id)}`);
    if (approval !== undefined)
      cards.set(id, { key: `${approval.version} ${approval.state}`, ...approvalCard(approval) });
  }
  const nodes = listed.flatMap(({ id }) => cards.get(id)?.node ?? []);
  if (nodes.length === 0) nodes.push(empty("Nothing waits for you", "A call that a policy pauses appears here."));
  // Moving a node would take the focus out of its form.
  if (
    shown === "approvals" &&
    nodes.length === main.children.length &&
    nodes.every((node, index) => node === main.children[index])
  )
    return;
  shown = "approvals";
  const focus = document.activeElement;
  main.replaceChildren(...nodes);
  if (focus instanceof HTMLElement && main.contains(focus)) focus.focus();
}

function approvalCard(approval) {
  const left = el("span", { class: "quiet" });
  const tick = () => {
    const rest = Date.parse(approval.deadline) - Date.now();
    left.textContent = rest > 0 ? `silence denies it in ${span(rest)}` : "the time is over";
  };
  tick();
  const waits = approval.state === "pending";
  const form = el("div", { class: "form" });
  const node = el(
    "article",
    { class: waits ? "card" : "card done" },
    el("header", {}, el("h1", {}, printable(approval.tool)), chip(approval.state), waits ? left : null),
    el(
      "p",
      { class: "quiet" },
      `agent ${printable(approval.agent)} in ${printable(approval.environment)} · `,
      runLink(approval.run),
    ),
    el("h2", {}, "Why it was paused"),
    el(
      "ul",
      { class: "reasons" },
      ...approval.reasons.map((reason) =>
        el("li", {}, printable(reason.reason), " ", el("code", { class: "quiet" }, printable(reason.id))),
      ),
    ),
    el("h2", {}, waits ? "What will run" : "What was asked"),
    tree(approval.args, {
      first: approval.reasons.flatMap(({ show }) => show),
      editable: waits ? approval.editable_paths : [],
    }),
    decisionLines(approval),
    waits ? form : null,
  );
  if (waits) choices(approval, form);
  return { node, tick };
}

function decisionLines({ decision, args }) {
  if (decision === null) return null;
  const changes = decision.changed.map((path) => ({
    path,
    before: valueAt(args, path),
    after: valueAt(decision.args, path),
  }));
  return el(
    "div",
    {},
    el("h2", {}, "What was decided"),
    el(
      "p",
      {},
      chip(decision.verdict === "approve" ? "approved" : "denied"),
      ` by ${printable(decision.by)}${decision.verified ? "" : ", not verified"}`,
    ),
    decision.note === null ? null : el("p", {}, `“${printable(decision.note)}”`),
    decision.grant === null ? null : el("p", {}, printable(decision.permitted)),
    changes.length === 0 ? null : difference(changes),
  );
}

function runLink(run) {
  return el("a", { href: `#/runs/${encodeURIComponent(run)}` }, printable(run).slice(0, 16));
}

function choices(approval, form) {
  const button = (text, kind, onclick) => el("button", { type: "button", class: kind, onclick }, text);
  form.replaceChildren(
    el(
      "div",
      { class: "buttons" },
      button("Approve", "approve", () => decide(approval, form, { verdict: "approve" })),
      approval.editable_paths.length > 0 ? button("Edit", "plain", () => editForm(approval, form)) : null,
      approval.grant_offer === null
        ? null
        : button("Approve and permit the like", "plain", () => grantForm(approval, form)),
      button("Deny", "deny", () => denyForm(approval, form)),
    ),
  );
}

function denyForm(approval, form) {
  const note = el("textarea", { rows: 2, maxLength: 2_000, placeholder: "Why? The agent is told (may stay empty)" });
  const send = (event) => {
    event.preventDefault();
    const text = note.value.trim();
    decide(approval, form, { verdict: "deny", ...(text === "" ? {} : { note: text }) });
  };
  form.replaceChildren(
    el(
      "form",
      { onsubmit: send },
      el("label", {}, "Note", note),
      formButtons(approval, form, "Deny this call", "deny"),
    ),
  );
  note.focus();
}

function formButtons(approval, form, text, kind) {
  const submit = el("button", { type: "submit", class: kind }, text);
  return el(
    "div",
    { class: "buttons" },
    submit,
    el("button", { type: "button", class: "plain", onclick: () => choices(approval, form) }, "Back"),
  );
}

/** The fields are the server's, made from the tool's schema; it reads what was typed, and says what does not fit. */
function editForm(approval, form) {
  const inputs = editInputs(approval.form);
  const changes = el("div", {});
  const update = () => {
    const found = inputs.changes();
    changes.replaceChildren(
      ...(found.length === 0 ? [el("p", { class: "quiet" }, "nothing is changed yet")] : [difference(found)]),
    );
  };
  const send = (event) => {
    event.preventDefault();
    const fields = inputs.changes().length === 0 ? {} : { fields: inputs.answers() };
    decide(approval, form, { verdict: "approve", ...fields }, inputs);
  };
  form.replaceChildren(
    el(
      "form",
      { onsubmit: send, oninput: update, noValidate: true },
      ...inputs.nodes,
      changes,
      formButtons(approval, form, "Approve as edited", "approve"),
    ),
  );
  update();
  inputs.focus();
}

/** What may be permitted too comes from the call; a person chooses how long, how often, how much. */
function grantForm(approval, form) {
  const inputs = grantInputs(approval.grant_offer);
  const send = (event) => {
    event.preventDefault();
    decide(approval, form, { verdict: "approve", grant: inputs.answers() }, inputs);
  };
  form.replaceChildren(
    el(
      "form",
      { onsubmit: send, noValidate: true },
      el("p", {}, `Calls like this one are not asked about: ${printable(approval.grant_offer.text)}`),
      ...inputs.nodes,
      formButtons(approval, form, "Approve and permit the like", "approve"),
    ),
  );
  inputs.focus();
}

async function decide(approval, form, request, inputs) {
  for (const old of form.querySelectorAll(".answer")) old.remove();
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  const answer = el("p", { class: "answer", role: "status" }, "…");
  form.append(answer);
  try {
    const { ok, body } = await api(`/v1/approvals/${encodeURIComponent(approval.id)}/decide`, {
      ...request,
      version: approval.version,
    });
    answer.textContent = printable(body.message ?? body.detail);
    answer.classList.add(ok ? "good" : "bad");
    inputs?.mistaken(body.mistakes ?? { fields: [], grant: [] });
    if (ok || body.answer === "already_decided" || body.answer === "expired") answered.set(approval.id, true);
    else for (const button of form.querySelectorAll("button")) button.disabled = false;
  } catch {
    answer.textContent = "saferun dev did not answer; look again before you decide";
  }
  await refresh();
}

async function start() {
  await openSession();
  const { ok, body } = await api("/health");
  if (ok) document.getElementById("who").textContent = `${printable(body.user)}, not verified`;
  window.addEventListener("hashchange", () => {
    shown = "";
    refresh();
  });
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

start();
