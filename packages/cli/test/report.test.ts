import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, pendingApproval } from "./sample.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let place: Place;
let today = "";
let key = "";
beforeAll(async () => {
  place = makePlace();
  today = new Date().toISOString().slice(0, 10);
  const { gate, run, execute, store } = openSample(place.store);
  await gate.call(run, { tool: "orders.get", args: { id: 17 } }, execute);
  await gate.call(run, { tool: "shell.exec", args: { cmd: "<script>alert(1)</script>" } }, execute);
  const waiting = gate.call(run, { tool: "stripe.refund", args: { amount: 9_000 } }, execute);
  const approval = await pendingApproval(store, "stripe.refund");
  await command("approvals", "approve", approval, "--note", "<b>agreed\u202e</b>");
  await waiting;
  await store.close();
  key = (await command("log", "key")).stdout.trim();
});
afterAll(() => place.remove());

const command = (...args: string[]) => saferun(place, [...args, "--store", place.store]);
const days = () => ["--from", today, "--to", new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)];

describe("saferun log report [L8]", () => {
  it("says what was in force, who approved what, the exceptions, the stops and the verification, mapped to the controls", async () => {
    const found = await command("log", "report", ...days(), "--format", "json", "--pin", key);
    expect(found).toMatchObject({ code: 0 });
    const report = found.json();
    expect(report.verification).toMatchObject({ status: "verified", faults: [] });
    expect(report.calls).toEqual({ proposed: 3, executed: 2, denied: 1, asked: 1 });
    expect(report.tools).toEqual([
      { tool: "orders.get", executed: 1 },
      { tool: "stripe.refund", executed: 1 },
    ]);
    expect(report.revisions).toEqual([
      expect.objectContaining({ type: "policy.activated", revision: expect.any(String) }),
    ]);
    expect(report.approvals).toEqual([
      expect.objectContaining({
        type: "approval.decided",
        verdict: "allow",
        tool: "stripe.refund",
        by: expect.stringMatching(/^local:.+ via cli, not verified$/),
      }),
    ]);
    expect(report.exceptions).toEqual([
      expect.objectContaining({ type: "call.decided", verdict: "deny", rules: ["unmatched:prod"] }),
    ]);
    expect(report.stops).toEqual([]);
    const controls = report.controls as { framework: string; id: string; evidence: string }[];
    expect(controls.map(({ id }) => id)).toEqual([
      "CC6.1",
      "CC6.3",
      "CC7.2",
      "CC7.3",
      "CC7.4",
      "Article 12(1)",
      "Article 12(2)",
      "Article 14(4)(d)",
      "Article 14(4)(e)",
    ]);
    expect(controls[0]?.evidence).toBe("3 tool calls judged by policy before anything ran; 2 ran, 1 denied.");
    expect(controls[5]?.evidence).toContain("verified by the key given");
    const before = await command("log", "report", "--from", "2020-01-01", "--to", "2020-01-31", "--format", "json");
    expect(before.json()).toMatchObject({ entries: 0, approvals: [], exceptions: [] });
  });

  it("is a page without scripts, with everything from the log escaped, and exit 1 for a log with a fault", async () => {
    const out = join(place.cwd, "report.html");
    expect(await command("log", "report", ...days(), "--out", out)).toMatchObject({ code: 0, stdout: "" });
    const page = readFileSync(out, "utf8");
    expect(page).toContain("default-src 'none'");
    expect(page).toContain("&lt;b&gt;agreed\\u202e&lt;/b&gt;");
    expect(page).not.toMatch(/<script|<b>agreed|\u202e|alert\(1\)/);
    screenshots(out);
    const db = new DatabaseSync(join(place.store, "log.db"));
    db.exec("UPDATE parts SET bytes = x'00' WHERE id = 0");
    db.close();
    const faulty = await command("log", "report", ...days());
    expect(faulty).toMatchObject({ code: 1 });
    expect(faulty.stdout).toContain('<pre class="bad">faulty');
    expect(await command("log", "report", "--from", "2026-02-31", "--to", today)).toMatchObject({ code: 2 });
  });
});

/** For a person to look at, where a browser is installed and a directory is named. */
function screenshots(page: string): void {
  const into = process.env.SAFERUN_SCREENSHOTS;
  if (into === undefined || !existsSync("/usr/bin/chromium")) return;
  for (const theme of ["light", "dark"]) {
    const profile = mkdtempSync(join(tmpdir(), "saferun-chromium-"));
    const flags = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-sync",
      "--no-first-run",
    ];
    const forced =
      theme === "dark" ? ["--blink-settings=preferredColorScheme=0"] : ["--blink-settings=preferredColorScheme=1"];
    const size = [
      "--window-size=1280,1800",
      `--screenshot=${join(into, `report-${theme}.png`)}`,
      `--user-data-dir=${profile}`,
    ];
    execFileSync("/usr/bin/chromium", [...flags, ...forced, ...size, `file://${page}`], { stdio: "ignore" });
    rmSync(profile, { recursive: true, force: true });
  }
}
