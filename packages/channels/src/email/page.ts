/** The page behind a mail's link. No script runs on it, and what agents wrote stands in it as text (traps.md, 27). */
import {
  type ApprovalRecord,
  choicesOf,
  chosenTexts,
  type FormField,
  fieldsOf,
  fieldText,
  GRANT_DEFAULT,
  GRANT_WINDOW_TEXTS,
  GRANT_WINDOWS,
  isChosen,
  isTypeable,
  type Mistake,
  offerText,
  outcomeText,
  proposedGrant,
} from "@saferun/core";
import type { Shown } from "../desk.ts";
import { argumentLines, changeLines, printable } from "../shown.ts";

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The names of a form's fields; `field.0` and on are the editable arguments. */
export const FORM = {
  approval: "approval",
  version: "version",
  nonce: "nonce",
  verdict: "verdict",
  note: "note",
  grant: "grant",
  count: "grant.count",
  most: "grant.most",
} as const;

export function fieldName(index: number): string {
  return `field.${index}`;
}

export function questionPage(approval: ApprovalRecord, shown: Shown, mistakes: readonly Mistake[] = []): string {
  const fields = fieldsOf(approval).map((field, index) => fieldHtml(field, index, mistakes));
  const general = mistakes
    .filter(({ path }) => path === "")
    .map(({ message }) => `<p class="bad">${html(message)}</p>`);
  return document(
    "A call waits for a person",
    `${callHtml(approval)}
<p>Silence denies it: ${new Date(approval.deadline).toISOString()}</p>${general.join("")}
<form method="post">
${hidden(FORM.approval, shown.approval)}${hidden(FORM.version, String(shown.version))}${hidden(FORM.nonce, shown.nonce)}
${fields.length === 0 ? "" : `<fieldset><legend>May be changed</legend>${fields.join("")}</fieldset>`}
${grantHtml(approval, mistakes)}
<label>Note <small>told to the agent when denied</small><input name="${FORM.note}" maxlength="2000"></label>
<button name="${FORM.verdict}" value="approve">Approve</button>
<button name="${FORM.verdict}" value="deny">Deny</button>
</form>`,
  );
}

function fieldHtml(field: FormField, index: number, mistakes: readonly Mistake[]): string {
  const { path } = field;
  const name = html(printable(path));
  if (!isTypeable(field)) return `<p>${name} holds characters that cannot be shown, and stays as it is.</p>`;
  const mistake = mistakes.find((one) => one.path === path);
  const said = mistake === undefined ? "" : `<p class="bad">${html(mistake.message)}</p>`;
  return `<label>${name} <small>${html(aboutText(field))}</small>${inputHtml(field, fieldName(index))}</label>${said}`;
}

function aboutText(field: FormField): string {
  const { label, path, description = "" } = field;
  const title = label === path ? "" : printable(label);
  return [title, fieldText(field), printable(description)].filter((text) => text !== "").join("; ");
}

/** What may be permitted beside the call; the choice "no" stands first. */
function grantHtml(approval: ApprovalRecord, mistakes: readonly Mistake[]): string {
  const { grantOffer: offer } = approval;
  if (offer === undefined) return "";
  const before = proposedGrant(approval);
  const chosen =
    before === undefined ? "" : Object.keys(GRANT_WINDOWS).find((one) => GRANT_WINDOWS[one] === before.forMs);
  const windows = ["", ...Object.keys(GRANT_WINDOWS)].map((value) => {
    const selected = value === chosen ? " selected" : "";
    return `<option value="${value}"${selected}>${GRANT_WINDOW_TEXTS[value] ?? "no, this call alone"}</option>`;
  });
  const said = (field: string): string => {
    const mistake = mistakes.find(({ path }) => path === field);
    return mistake === undefined ? "" : `<p class="bad">${html(mistake.message)}</p>`;
  };
  const number = (name: string, label: string, value: string): string =>
    `<label>${html(label)}<input name="${name}" inputmode="numeric" autocomplete="off" value="${html(value)}"></label>${said(name)}`;
  const { amount } = offer;
  const count = String(before?.count ?? GRANT_DEFAULT.count);
  return `<fieldset><legend>Permit the like too</legend><p>${html(offerText(offer))}</p>
<label>For how long<select name="${FORM.grant}">${windows.join("")}</select></label>${said(FORM.grant)}
${number(FORM.count, "How many more calls", count)}
${amount === undefined ? "" : number(FORM.most, `How much ${printable(amount)}, over all of them`, String(before?.sum?.most ?? ""))}
</fieldset>`;
}

function inputHtml(field: FormField, name: string): string {
  const { text, nullable } = field;
  const choices = choicesOf(field).map((choice) => choice.text);
  if (isChosen(field) && field.type === "enums") {
    const chosen = chosenTexts(field);
    const boxes = choices.map(
      (choice) =>
        `<option value="${html(choice)}"${chosen.includes(choice) ? " selected" : ""}>${html(choice)}</option>`,
    );
    // Nothing chosen is sent as nothing at all: the hidden one says that the field was there.
    return `${hidden(name, "")}<select name="${name}" multiple size="${Math.min(12, choices.length)}">${boxes.join("")}</select>`;
  }
  if (!isChosen(field)) {
    // A browser drops one line break after the tag.
    return `<textarea name="${name}" rows="${rows(text)}">\n${html(text)}</textarea>`;
  }
  const options = nullable === true || text === "" ? ["", ...choices] : choices;
  const made = options.map(
    (choice) => `<option value="${html(choice)}"${choice === text ? " selected" : ""}>${html(choice)}</option>`,
  );
  return `<select name="${name}">${made.join("")}</select>`;
}

/** How it ended, or why nothing was decided. */
export function answerPage(message: string, approval: ApprovalRecord | undefined): string {
  const changes = approval === undefined ? [] : changeLines(approval);
  const change = changes.length === 0 ? "" : `<pre>${html(changes.join("\n"))}</pre>`;
  const call = approval === undefined ? "" : callHtml(approval);
  const outcome = approval === undefined || approval.state === "pending" ? "" : `<p>${html(outcomeText(approval))}</p>`;
  return document("SafeRun", `<p><strong>${html(message)}</strong></p>${outcome}${change}${call}`);
}

function callHtml(approval: ApprovalRecord): string {
  const { tool, agent, environment, reasons } = approval;
  const why = reasons.map(
    ({ id, reason }) => `<li><code>${html(printable(id))}</code> ${html(printable(reason))}</li>`,
  );
  return `<dl><dt>tool</dt><dd><code>${html(printable(tool))}</code></dd><dt>agent</dt><dd><code>${html(printable(agent))}</code></dd>
<dt>environment</dt><dd><code>${html(printable(environment))}</code></dd></dl>
<h2>What will run</h2><pre>${html(argumentLines(approval).join("\n"))}</pre>
<h2>Why it was paused</h2><ul>${why.join("")}</ul>`;
}

function document(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${html(title)}</title><style>${STYLE}</style><main><h1>${html(title)}</h1>
${body}
</main></html>
`;
}

const STYLE =
  ":root{color-scheme:light dark;font:16px/1.5 system-ui}main{max-width:44rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid;padding:.5rem}label{display:block;margin:.5rem 0}textarea,select,input{display:block;width:100%;font:inherit}button{font:inherit;padding:.5rem 1.5rem;margin:.5rem .5rem 0 0}dt{float:left;clear:left;width:8rem}.bad{font-weight:bold}";

function hidden(name: string, value: string): string {
  return `<input type="hidden" name="${name}" value="${html(value)}">`;
}

function rows(text: string): number {
  return Math.min(12, text.split("\n").length);
}

function html(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
