/** The report as one page: no script, nothing loaded, everything from the log escaped. */

import type { Json } from "@saferun/core";
import { iso } from "@saferun/server/wire";
import type { Collected, Happening, ReportLists, ReportPeriod } from "./collect.ts";
import type { Control } from "./controls.ts";

export interface Report {
  readonly log: string;
  readonly period: ReportPeriod;
  /** ms. */
  readonly made: number;
  readonly collected: Collected;
  readonly controls: readonly Control[];
  /** Lines of `saferun log verify`, without colours. */
  readonly verification: readonly string[];
  readonly tone: "good" | "wait" | "bad";
}

export function reportHtml(report: Report): string {
  const { log, period, made, collected, controls, verification, tone: verified } = report;
  const { calls } = collected;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>SafeRun: evidence ${day(period.from)} to ${day(period.to)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>Evidence of what agents did</h1>
<p>${day(period.from)} to ${day(period.to)} (UTC) · log <code>${escaped(log)}</code> · made ${iso(made)}</p>
</header>
<section id="verification">
<h2>Verification</h2>
<pre class="${verified}">${verification.map(escaped).join("\n")}</pre>
<p class="hint">The whole log was read for this, not the period alone. Check it yourself: <code>saferun log verify --pin KEY</code>, with a key that came from elsewhere.</p>
</section>
<section class="figures">
${figure("calls judged", calls.proposed)}
${figure("ran", calls.executed)}
${figure("denied", calls.denied)}
${figure("asked about", calls.asked)}
${figure("entries", collected.entries)}
</section>
<section id="controls">
<h2>Controls</h2>
<div class="wide"><table>
<thead><tr><th>Requirement</th><th>Asks for</th><th>The record shows</th><th>See</th></tr></thead>
<tbody>
${controls.map(controlRow).join("\n")}
</tbody></table></div>
<p class="hint">What is in the record, set beside what a requirement asks for. Whether it is enough is for the auditor to say.</p>
</section>
${SECTIONS.map(([list, title, what]) => section(list, title, what, collected)).join("\n")}
<section id="tools">
<h2>Tools</h2>
<div class="wide"><table><thead><tr><th>Tool</th><th class="number">Calls that ran</th></tr></thead><tbody>
${collected.tools.map(({ tool, executed }) => `<tr><td><code>${escaped(tool)}</code></td><td class="number">${executed}</td></tr>`).join("\n")}
</tbody></table></div>
</section>
</main>
</body>
</html>
`;
}

const SECTIONS: readonly [keyof ReportLists, string, string][] = [
  ["revisions", "Policies in force", "The first line is what was in force when the period began."],
  [
    "approvals",
    "Who approved what",
    "Answers of people to calls that waited, and what people allowed beyond a policy.",
  ],
  ["exceptions", "Exceptions", "Denied calls, questions nobody answered, failures, outcomes that nobody knows."],
  ["stops", "Stops and breakers", "What was stopped, by whom or by what, and who let it go on."],
  [
    "record",
    "The record itself",
    "Openings, recoveries after a crash, changes of the signing key, and who looked at content or took it out.",
  ],
];

function section(list: keyof ReportLists, title: string, what: string, collected: Collected): string {
  const rows = collected[list];
  const more = collected.left[list] === 0 ? "" : `<p class="hint">${collected.left[list]} more are in the log.</p>`;
  const body =
    rows.length === 0
      ? `<p class="none">None in this period.</p>`
      : `<div class="wide"><table><thead><tr><th class="number">Entry</th><th>When</th><th>What</th><th>Who</th><th>About</th><th>Said</th></tr></thead><tbody>
${rows.map(happeningRow).join("\n")}
</tbody></table></div>${more}`;
  return `<section id="${list}">\n<h2>${title}</h2>\n<p>${what}</p>\n${body}\n</section>`;
}

function happeningRow(of: Happening): string {
  const about = [of.tool, of.call, of.rules?.join(", "), of.revision?.slice(0, 16), of.agent, of.environment];
  const verdict = of.verdict === undefined ? "" : ` <b class="${tone(of.verdict)}">${escaped(of.verdict)}</b>`;
  const shown = about
    .filter((text) => text !== undefined && text !== "")
    .map((text) => `<span>${escaped(text ?? "")}</span>`);
  return `<tr><td class="number">${of.entry}</td><td class="when">${iso(of.at).slice(0, 19).replace("T", " ")}</td><td>${escaped(of.type)}${verdict}</td><td>${escaped(of.by ?? "")}</td><td class="about">${shown.join("")}</td><td class="said">${escaped(short(of.said))}</td></tr>`;
}

function controlRow({ framework, id, title, evidence, section: see }: Control): string {
  return `<tr><td>${escaped(framework)}<br><b>${escaped(id)}</b></td><td>${escaped(title)}</td><td>${escaped(evidence)}</td><td><a href="#${see}">${see}</a></td></tr>`;
}

function figure(name: string, value: number): string {
  return `<div><b>${value.toLocaleString("en")}</b><span>${name}</span></div>`;
}

function tone(verdict: string): string {
  return verdict === "allow" || verdict === "succeeded" ? "good" : verdict === "deny" ? "bad" : "wait";
}

/** Characters of one cell: the log has the rest. */
const MOST_CHARACTERS = 300;

function short(said: Happening["said"]): string {
  const text = said === undefined ? "" : words(said);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

/** What a person wrote, where one did; else the content as it is. */
function words(said: Readonly<Record<string, Json>>): string {
  for (const part of Object.values(said)) {
    if (typeof part !== "object" || part === null || Array.isArray(part)) continue;
    const { note, reason, by, what } = part as Readonly<Record<string, Json>>;
    const written = note ?? reason ?? what;
    if (typeof written === "string") return written;
    if (by !== undefined) return "";
  }
  return JSON.stringify(said);
}

function day(ms: number): string {
  return iso(ms).slice(0, 10);
}

/** Also what would turn the direction of the text, or hide in it. */
function escaped(text: string): string {
  return text.replace(
    /[&<>"'\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
    (character) => ENTITIES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const STYLE = `
:root { color-scheme: light dark; --ground: #fbfbfa; --text: #1d2125; --dim: #5c6670; --line: #dcdfe3; --card: #fff; --good: #176b3a; --bad: #a3211b; --wait: #855b00; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --text: #e6e9ec; --dim: #9aa5b1; --line: #2d343b; --card: #1b2025; --good: #6fd08f; --bad: #ff8f87; --wait: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .4rem; }
p { margin: .3rem 0 .8rem; color: var(--dim); } .hint, .none { font-size: .87rem; }
code, pre, .number, .about, .said { font: .84rem/1.45 ui-monospace, monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-left-width: 4px; border-radius: 6px; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre.good { border-left-color: var(--good); } pre.wait { border-left-color: var(--wait); } pre.bad { border-left-color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .8rem; margin-top: 1.5rem; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; }
.figures b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; } .figures span { color: var(--dim); font-size: .87rem; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-size: .8rem; color: var(--dim); font-weight: 600; }
th, td { padding: .5rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; } tbody tr:last-child td { border-bottom: 0; }
td { overflow-wrap: break-word; } .said, .about { overflow-wrap: anywhere; min-width: 9rem; } .when, td a { white-space: nowrap; } .number { text-align: right; white-space: nowrap; } .about span { display: block; }
.good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); } pre.good, pre.wait, pre.bad { color: var(--text); }
a { color: inherit; }
@media print { main { max-width: none; padding: 0; } .wide { overflow: visible; } }
`;
