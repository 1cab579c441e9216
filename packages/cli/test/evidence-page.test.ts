import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { formatNoteKey, noteKey } from "@saferun/core";
import { createFileSigner, nodeClock, nodeHash, signingKeyPath } from "@saferun/store";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Io } from "../src/io.ts";
import { createStyle } from "../src/output/style.ts";
import { runCommandLine } from "../src/program.ts";
import { openSample } from "./sample.ts";

let directory = "";
let key = "";

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "saferun-page-"));
  const store = join(directory, "store");
  const sample = openSample(store, nodeClock);
  const order = "</script><script>document.title='owned'</script>";
  await sample.gate.call(sample.run, { tool: "orders.get", args: { order } }, () => ({ order }));
  await sample.store.close();
  const { name, publicKey } = createFileSigner(signingKeyPath(store));
  key = formatNoteKey(noteKey(name, publicKey, nodeHash));
  const args = ["replay", sample.run.id, "--store", "store", "--bundle", "run.html"];
  expect(
    await runCommandLine(
      args,
      ioOf(() => {}),
    ),
  ).toBe(0);
});

function ioOf(print: (text: string) => void): Io {
  const style = createStyle(false);
  return {
    cwd: directory,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    print,
    warn: () => {},
    progress: undefined,
    style,
    warnStyle: style,
    interactive: false,
    user: "tester",
  };
}

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("the page of a run's evidence", () => {
  it("[R8~] verifies at the command line as well, as it is said where it is written", async () => {
    const told: string[] = [];
    const verify = (...args: string[]) =>
      runCommandLine(
        ["log", "verify", ...args, "--pin", key, "--json"],
        ioOf((text) => void told.push(text)),
      );
    expect(await verify("run.html")).toBe(0);
    expect(JSON.parse(told[0] ?? "")).toMatchObject({ status: "verified" });
    const page = readFileSync(join(directory, "run.html"), "utf8");
    const [whole = "", encoded = ""] = /<script id="bundle" type="text\/plain">([^<]*)</.exec(page) ?? [];
    const other = Buffer.from(encoded, "base64")
      .toString()
      .replace('"outcome\\":\\"succeeded', '"outcome\\":\\"failed');
    const changed = page.replace(whole, whole.replace(encoded, Buffer.from(other).toString("base64")));
    expect(changed).not.toBe(page);
    writeFileSync(join(directory, "changed.html"), changed);
    expect(await verify("changed.html")).toBe(1);
    expect(JSON.parse(told[1] ?? "")).toMatchObject({ status: "faulty" });
  });

  it("[R8~] verifies itself in a browser without a network, obeys no text of others, and says when the bundle was changed", async () => {
    const file = join(directory, "run.html");
    const text = readFileSync(file, "utf8");
    const [, encoded = ""] = /<script id="bundle" type="text\/plain">([^<]*)</.exec(text) ?? [];
    const changed = Buffer.from(encoded, "base64")
      .toString()
      .replace('"outcome\\":\\"succeeded', '"outcome\\":\\"failed');
    writeFileSync(join(directory, "changed.bundle"), changed);
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM_PATH ?? "",
      args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
    });
    try {
      const page = await (await browser.newContext({ offline: true })).newPage();
      const errors: string[] = [];
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(pathToFileURL(file).href);
      await page.waitForSelector('body[data-status="self-consistent"]');
      await page.fill("#key", key);
      await page.waitForSelector('body[data-status="verified"]');
      await page.setInputFiles("#file", join(directory, "changed.bundle"));
      await page.waitForSelector('body[data-status="faulty"]');
      expect(await page.textContent("#faults")).toContain("this is not what the checkpoint");
      expect(await page.title()).toBe("Evidence of a run");
      expect(await page.textContent("body")).toContain("verify with your own copy");
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
