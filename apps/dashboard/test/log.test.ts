/** A person at the log of `saferun dev`: found, looked at, followed, taken away, and verified by their own browser. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { contentOf, parseHeader } from "@saferun/core";
import { eraseFromStore, openSqliteStore } from "@saferun/store";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inspect, launch, openPage, type Watched } from "./browser.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  place = makePlace();
  await place.run("Refund both", [
    ["orders.lookup", { order: "1001" }],
    ["stripe.refund", { order: "1001", amount: 4_000, reason: "duplicate" }],
    ["stripe.refund", { order: "1002", amount: 5_000_000 }],
    ["mail.send", { to: ["ann@example.com"], subject: "=SUM(1)", body: "<b>hi</b>" }],
  ]);
  dev = await place.dev();
  browser = await launch();
  watched = await openPage(await browser.newContext({ reducedMotion: "reduce" }), dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
});
beforeEach(() => {
  watched.complaints.length = 0;
});

const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const rows = () => page.getByRole("list", { name: "Found" }).getByRole("button");

async function open(search = ""): Promise<void> {
  await page.goto(`${dev.url}/log${search}`);
  await rows().first().waitFor();
}

/** Until as many rows are found. */
async function found(count: number): Promise<void> {
  while ((await rows().count()) !== count) await sleep(50);
}

async function verify(pinned = "") {
  await page.goto(`${dev.url}/log?verify=true`);
  await page.getByLabel("The key you kept").fill(pinned);
  await press("Verify");
  const result = page.getByRole("region", { name: "Result" });
  await result.waitFor();
  return result;
}

async function ownKey(): Promise<string> {
  const [first] = await place.store.entries({ from: 0, limit: 1 });
  const part = first?.parts.find(({ name }) => name === "key");
  return String(part === undefined ? undefined : contentOf(part));
}

describe("the log", () => {
  it("[L4~] is searched as one types; an answer is a link, an item shows all its entries", async () => {
    await open();
    await page.getByRole("combobox").fill("verdict:deny");
    await found(1);
    expect(await rows().first().textContent()).toContain("stripe.refund");
    expect(page.url()).toContain("q=verdict");
    await rows().first().click();
    const panel = page.getByRole("dialog");
    await panel.getByText("call.proposed").waitFor();
    await panel.getByText("call.decided").waitFor();
    await panel.getByText("5000000").first().waitFor();
    await page.reload();
    await panel.getByText("call.decided").waitFor();
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "hidden" });
    await page.getByRole("combobox").fill("verdict:nothing");
    await page.getByRole("alert").waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it("[L4~] offers what may stand next: fields, their values and names of the record, taken by keys or by hand", async () => {
    await open();
    const box = page.getByRole("combobox");
    const options = page.getByRole("option");
    await page.keyboard.press("/");
    await page.keyboard.type("verd");
    await options.filter({ hasText: "verdict:" }).waitFor();
    expect(await box.getAttribute("aria-expanded")).toBe("true");
    await page.keyboard.press("ArrowDown");
    expect(await options.first().getAttribute("aria-selected")).toBe("true");
    expect(await box.getAttribute("aria-activedescendant")).toBe(await options.first().getAttribute("id"));
    expect(await inspect(page, "log-completion")).toEqual([]);
    await page.keyboard.press("Enter");
    // Behind a field its values come at once.
    await options.filter({ hasText: "pause" }).waitFor();
    expect(await options.allTextContents()).toEqual(["allow", "deny", "pause"]);
    await page.keyboard.type("d");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Tab");
    expect(await box.inputValue()).toBe("verdict:deny ");
    await page.keyboard.type("refund");
    await options.filter({ hasText: "tool:stripe.refund" }).click();
    expect(await box.inputValue()).toBe("verdict:deny tool:stripe.refund ");
    await found(1);
    await page.keyboard.type("sinc");
    await options.first().waitFor();
    await page.keyboard.press("Escape");
    await options.first().waitFor({ state: "detached" });
    // An unfinished word is a word of the search; what was typed stays.
    expect(await box.inputValue()).toBe("verdict:deny tool:stripe.refund sinc");
    expect(watched.complaints).toEqual([]);
  });

  it("says what happened in plain words, with the type beside them, and how much there is", async () => {
    await open("?q=type:run.started");
    await rows().first().getByText("A run began").waitFor();
    await rows().first().getByText("run.started").waitFor();
    await page.getByText(/^1 found\. The log has \d+ entries\.$/).waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it("shows looks of one person as one line that unfolds, and leaves them out by the words of the query only", async () => {
    const [run] = await place.store.runs({ limit: 1 });
    for (const path of [`runs/${run?.id}`, `runs/${run?.id}/beside/${run?.id}`]) {
      await page.goto(`${dev.url}/${path}`);
      await page
        .getByText(/^(orders\.lookup|All 4 steps are the same)/)
        .first()
        .waitFor();
    }
    await open();
    const group = page.getByRole("button", { name: /looked at payloads \d+ times/ }).first();
    await group.waitFor();
    expect(await rows().getByText("Payloads were looked at").count()).toBe(0);
    await group.click();
    await rows().getByText("Payloads were looked at").nth(1).waitFor();
    await press("Leave looks out");
    await page.waitForURL(/q=-type/);
    await group.waitFor({ state: "detached" });
    expect(await page.getByRole("combobox").inputValue()).toBe("-type:payload.viewed");
    await press("Show looks again");
    await group.waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it("keeps a search under a name, and forgets it", async () => {
    await open("?q=tool:mail.send");
    await press("Save this search…");
    await page.getByLabel("Name").fill("mails");
    await press("Save");
    await open();
    await press("mails");
    await found(1);
    await press("Forget mails");
    const kept = page.getByRole("button", { name: "mails", exact: true });
    await kept.waitFor({ state: "hidden" });
    await press("Undo");
    await kept.waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it("shows what comes only when it is wanted, or while one follows", async () => {
    await open("?q=tool:orders.lookup");
    await found(1);
    await place.call("orders.lookup", { order: "1003" });
    await page.getByRole("button", { name: /1 new: show it/ }).waitFor();
    expect(await rows().count()).toBe(1);
    await press("Follow");
    await found(2);
    await place.call("orders.lookup", { order: "1004" });
    await found(3);
    expect(watched.complaints).toEqual([]);
  });

  it("[L5~] is downloaded as a file: cells that start a formula are none", async () => {
    await open("?q=tool:mail.send");
    await press("Export…");
    await page.getByLabel("As").selectOption({ index: 1 });
    const [download] = await Promise.all([page.waitForEvent("download"), press("Download")]);
    const text = readFileSync(await download.path(), "utf8");
    expect(text.split("\r\n")[0]).toMatch(/^entry,time,type/);
    expect(text).toContain("mail.send");
    expect(text).not.toContain("stripe.refund");
    expect(watched.complaints).toEqual([]);
  });

  it("[L2~] is verified by the browser, which believes only a key that was kept", async () => {
    await (await verify()).getByText("signer not proven").waitFor();
    const key = await ownKey();
    // What was just written is signed a moment later.
    while ((await place.store.checkpoints()).length === 0) await sleep(50);
    await (await verify(key)).getByText("by the key that you kept").waitFor();
    const other = `${key.slice(0, -4)}AAAA`;
    await page.getByLabel("The key you kept").fill(other);
    await press("Verify");
    await page.getByRole("alert").waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it("[L6~] says of what was erased who took it out, and why", async () => {
    const store = openSqliteStore({ directory: place.directory });
    const headers = (await store.entries({ from: 0, limit: 1_000 })).map(({ seq, header }) => ({
      seq,
      ...parseHeader(header),
    }));
    const sent = headers.find(({ type, tool }) => type === "call.proposed" && tool === "mail.send");
    const request = { target: { call: sent?.call ?? "" }, reason: "request 2026-118", by: "local:dora" };
    await eraseFromStore(store, request);
    await store.close();
    await open(`?entry=${sent?.seq}`);
    await page.getByText("request 2026-118").first().waitFor();
    expect(await page.getByRole("dialog").textContent()).toContain("local:dora");
    expect(await page.getByRole("dialog").textContent()).not.toContain("ann@example.com");
    expect(watched.complaints).toEqual([]);
  });

  it("[L3~] names the entry of which one byte was changed in the store", async () => {
    const db = new DatabaseSync(join(place.directory, "log.db"));
    const { header } = db.prepare("SELECT header FROM entries WHERE seq = 3").get() ?? {};
    if (!(header instanceof Uint8Array)) throw new Error("no header");
    const bent = Uint8Array.from(header, (byte, at) => (at === header.length - 5 ? byte ^ 1 : byte));
    db.prepare("UPDATE entries SET header = ? WHERE seq = 3").run(bent);
    db.close();
    const result = await verify(await ownKey());
    await result.getByText("faulty", { exact: true }).waitFor();
    await result.getByRole("link", { name: "entry 3", exact: true }).first().waitFor();
    expect(watched.complaints).toEqual([]);
  });
});
