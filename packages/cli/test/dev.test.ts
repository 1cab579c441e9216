import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseHeader } from "@saferun/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun, start } from "./saferun.ts";
import { openSample, pendingApproval, type Sample } from "./sample.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  json(): Record<string, unknown>;
}

let place: Place;
let sample: Sample;
let child: ChildProcessWithoutNullStreams;
let port: number;
let link: string;
let token: string;

beforeEach(async () => {
  place = makePlace();
  sample = openSample(place.store);
  child = start(place, ["dev", "--port", "0", "--json", "--no-open", "--store", place.store]);
  const errors: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  const ended = once(child, "close").then(() => Promise.reject(new Error(`it ended:\n${errors.join("")}`)));
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), "line"), ended])) as [string];
  ended.catch(() => {});
  const said = JSON.parse(line) as { url: string; link: string; token_file: string };
  port = Number(new URL(said.url).port);
  link = said.link;
  token = (JSON.parse(readFileSync(said.token_file, "utf8")) as { token: string }).token;
});
afterEach(async () => {
  if (child.exitCode === null) {
    child.kill("SIGINT");
    await once(child, "close");
  }
  await sample.store.close();
  place.remove();
});

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly host?: string;
}

/** Over a plain socket: `fetch` would not let a test choose `Host` and `Origin`. */
function send(path: string, { method = "GET", headers = {}, body, host = "127.0.0.1" }: Sent = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host, port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

const JSON_BODY = { "content-type": "application/json" };
const bearer = () => ({ authorization: `Bearer ${token}` });
const origin = () => `http://127.0.0.1:${port}`;

function decide(id: string, body: unknown, headers: Readonly<Record<string, string>> = bearer()): Promise<Answer> {
  return send(`/v1/approvals/${id}/decide`, {
    method: "POST",
    headers: { ...JSON_BODY, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** A body whose length is not announced, sent until the server has answered. */
function chunked(id: string, bytes: number): Promise<{ readonly status: number }> {
  return new Promise((resolve, reject) => {
    const headers = { ...bearer(), ...JSON_BODY };
    const path = `/v1/approvals/${id}/decide`;
    const request = httpRequest({ host: "127.0.0.1", port, path, method: "POST", headers }, (response) => {
      resolve({ status: response.statusCode ?? 0 });
      request.destroy();
    });
    request.on("error", reject);
    request.write(`"${"x".repeat(bytes)}`);
  });
}

function exchange(headers: Readonly<Record<string, string>> = { origin: origin() }): Promise<Answer> {
  const code = new URL(link).hash.slice(1);
  return send("/session", { method: "POST", headers: { ...JSON_BODY, ...headers }, body: JSON.stringify({ code }) });
}

/** What the page sends from then on: the cookie, and the key that only its own origin can read. */
function sessionOf(answer: Answer): { readonly cookie: string; readonly "x-saferun-page": string } {
  const cookie = String(answer.headers["set-cookie"]?.[0]).split(";")[0] ?? "";
  return { cookie, "x-saferun-page": String(answer.json().page_key) };
}

async function paused() {
  const args = { amount: 450_000, customer: "cus_81" };
  const answer = sample.gate.call(sample.run, { tool: "stripe.refund", args }, sample.execute);
  return { answer, args, id: await pendingApproval(sample.store, "stripe.refund") };
}

describe("saferun dev, who may ask", () => {
  it("answers nothing without the secret of this start, reads included", async () => {
    for (const path of [
      "/v1/health",
      "/v1/approvals",
      "/v1/approvals/x",
      "/v1/runs",
      "/v1/runs/x",
      "/v1/nothing",
      "/v1/events",
      "/v1/openapi.json",
    ]) {
      for (const headers of [
        {},
        { authorization: "Bearer wrong" },
        { authorization: token },
        { authorization: `Basic ${token}` },
        { cookie: `saferun_${port}=${token}` },
      ]) {
        const answer = await send(path, { headers });
        expect(answer.status, path).toBe(401);
        expect(answer.headers["content-type"]).toBe("application/problem+json");
      }
    }
    expect((await send(`/v1/health?token=${token}`)).status).toBe(401);
    expect((await send("/v1/health", { headers: bearer() })).json()).toMatchObject({ status: "ok" });
    expect((await send("/v1/nothing", { headers: bearer() })).status).toBe(404);
    for (const method of ["HEAD", "OPTIONS", "PUT", "DELETE"]) {
      expect((await send("/v1/approvals", { method })).status, method).toBe(401);
    }
    expect(await send("/v1/approvals", { method: "HEAD", headers: bearer() })).toMatchObject({ status: 200, text: "" });
    expect((await send("/v1/approvals", { method: "OPTIONS", headers: bearer() })).status).toBe(405);
  });

  it("answers no other host: a foreign name that resolves here gets nothing, with the secret or without (trap 24)", async () => {
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:${port + 1}`,
      `localhost.:${port}`,
    ]) {
      for (const path of ["/", "/app.js", "/health"]) {
        const answer = await send(path, { headers: { ...bearer(), host } });
        expect(answer.status, `${host}${path}`).toBe(421);
        expect(answer.text).not.toContain("<html");
      }
    }
    expect((await send("/v1/health", { headers: { ...bearer(), host: `localhost:${port}` } })).status).toBe(200);
  });

  it("listens on the loopback addresses only", async () => {
    const free = createServer();
    // Another address of this machine: the port must still be free there.
    await new Promise<void>((resolve, reject) => {
      free.once("error", reject);
      free.listen(port, "127.0.0.2", resolve);
    });
    free.close();
    expect((await send("/v1/health", { headers: { ...bearer(), host: `localhost:${port}` } })).status).toBe(200);
  });

  it("exchanges the link's code once, for a cookie that no script and no other site can use", async () => {
    for (const headers of [
      {},
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: origin(), "sec-fetch-site": "cross-site" },
    ]) {
      expect((await exchange(headers)).status).toBe(403);
    }
    const first = await exchange();
    expect(first.status).toBe(200);
    expect(first.headers["set-cookie"]).toEqual([
      expect.stringMatching(new RegExp(`^saferun_${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`)),
    ]);
    expect((await exchange()).status).toBe(401);
    const { cookie, ...key } = sessionOf(first);
    const session = { cookie, ...key };
    expect((await send("/v1/approvals", { headers: session })).status).toBe(200);
    // A program behind another port of this host gets the cookie, and has no key.
    expect((await send("/v1/approvals", { headers: { cookie } })).status).toBe(401);
    expect((await send("/v1/approvals", { headers: key })).status).toBe(401);
    expect((await send("/v1/approvals", { headers: { ...session, "sec-fetch-site": "cross-site" } })).status).toBe(403);
    expect((await send("/v1/approvals", { headers: { ...session, origin: "http://localhost:3000" } })).status).toBe(
      403,
    );
  });

  it("takes a write from its own page only, JSON included (trap 25)", async () => {
    const { id, answer } = await paused();
    const session = sessionOf(await exchange());
    const body = { verdict: "approve", version: 1 };
    for (const headers of [
      {},
      { origin: "http://evil.example" },
      { origin: `http://127.0.0.1:${port + 1}` },
      { origin: `http://localhost:${port}` },
      { origin: "null" },
      { "sec-fetch-site": "none" },
      { "sec-fetch-site": "same-site" },
      { origin: origin(), "sec-fetch-site": "cross-site" },
    ]) {
      expect((await decide(id, body, { ...session, ...headers })).status, JSON.stringify(headers)).toBe(403);
    }
    expect((await decide(id, body, { ...bearer(), origin: "http://evil.example" })).status).toBe(403);
    expect(sample.ran).toEqual([]);
    expect((await decide(id, { ...body, verdict: "deny" }, { ...session, origin: origin() })).status).toBe(200);
    expect(await answer).toMatchObject({ status: "denied" });
  });

  it("sends no CORS header, a strict policy for the page, and nothing to keep", async () => {
    const preflight = { origin: "http://evil.example", "access-control-request-method": "POST" };
    for (const answer of [
      await send("/v1/approvals", { method: "OPTIONS", headers: preflight }),
      await send("/v1/approvals", { headers: { ...bearer(), origin: "http://evil.example" } }),
      await send("/", { headers: { origin: "http://evil.example" } }),
      await send("/v1/health", { headers: bearer() }),
    ]) {
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
      expect(answer.headers["content-security-policy"]).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      );
      expect(answer.headers["cache-control"]).toBe("no-store");
    }
    const page = await send("/");
    expect(page.text).not.toMatch(/<script(?![^>]*src=)|\son\w+=|style=/);
    expect(page.text).not.toContain(token);
  });

  it("keeps its token in a file that only this account can read, outside of the project, while it runs", async () => {
    const file = join(place.state, `dev-${port}.json`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(place.state).mode & 0o777).toBe(0o700);
    expect(file.startsWith(place.cwd)).toBe(false);
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([0, null]);
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("says that its port is taken", async () => {
    const second = await saferun(place, ["dev", "--port", String(port), "--no-open", "--store", place.store]);
    expect(second).toMatchObject({ code: 3, stdout: "" });
    expect(second.stderr).toContain(`port ${port} is taken on 127.0.0.1`);
  });
});

describe("saferun dev, decisions", () => {
  it("[A9~] a decision over HTTP resumes the waiting call exactly once, with exactly the edited arguments", async () => {
    const { id, answer, args } = await paused();
    const shown = (await send(`/v1/approvals/${id}`, { headers: bearer() })).json();
    expect(shown).toMatchObject({
      id,
      version: 1,
      state: "pending",
      args,
      editable_paths: ["amount", "metadata.reason"],
    });
    const cookie = { ...sessionOf(await exchange()), origin: origin() };
    const body = { verdict: "approve", version: 1, args: { ...args, amount: 5_000 } };
    const both = await Promise.all([decide(id, body, cookie), decide(id, body)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await answer).toMatchObject({ status: "ran" });
    expect(sample.ran).toEqual([{ tool: "stripe.refund", args: { ...args, amount: 5_000 } }]);

    const again = await decide(id, { ...body, version: 2 });
    expect(again.status).toBe(409);
    expect(again.json()).toMatchObject({
      code: "already_decided",
      answer: "already_decided",
      detail: expect.stringMatching(/^already decided by local:/),
    });
    const run = (await send(`/v1/runs/${sample.run.id}`, { headers: bearer() })).json();
    const { steps } = run.tree as { steps: readonly unknown[] };
    expect(steps).toContainEqual(
      expect.objectContaining({
        tool: "stripe.refund",
        state: "succeeded",
        approvals: [expect.objectContaining({ answers: [expect.objectContaining({ edited: true })] })],
      }),
    );
    // The same at one look holds nothing of what was in it; each step is asked for by itself.
    const outline = await send(`/v1/runs/${sample.run.id}/outline`, { headers: bearer() });
    expect(outline.json()).toMatchObject({
      run: { id: sample.run.id },
      rows: [{ kind: "call", number: 1, depth: 0, name: "stripe.refund", state: "succeeded", approval: null }],
    });
    expect(outline.text).not.toContain("cus_81");
    const step = (await send(`/v1/runs/${sample.run.id}/steps/1`, { headers: bearer() })).json();
    expect(step).toMatchObject({ steps: [{ step: { number: 1, arguments: { ran: { value: { amount: 5_000 } } } } }] });
    expect((await send(`/v1/runs/${sample.run.id}/steps/2`, { headers: bearer() })).json().code).toBe("step.missing");
    expect((await send("/v1/runs", { headers: bearer() })).json().runs).toHaveLength(1);
    // Who opens a run is on the record, once for a while.
    await send(`/v1/runs/${sample.run.id}`, { headers: bearer() });
    const { size } = await sample.store.head();
    const headers = (await sample.store.entries({ from: 0, limit: size })).map(({ header }) => parseHeader(header));
    expect(headers.filter(({ type }) => type === "payload.viewed")).toHaveLength(1);
    expect(sample.ran).toHaveLength(1);
  });

  it("[A9~] reads its form like every channel: what does not fit is said at its field, and decides nothing", async () => {
    const { id, answer, args } = await paused();
    const shown = (await send(`/v1/approvals/${id}`, { headers: bearer() })).json();
    expect(shown).toMatchObject({
      form: [{ path: "amount", input: "text", text: String(args.amount) }, {}],
      grant_offer: null,
      amounts: [{ path: "amount", unit: "usd_cents", text: "$4,500.00" }],
    });
    const listed = (await send("/v1/approvals", { headers: bearer() })).json();
    expect(listed).toMatchObject({ approvals: [{ id, state: "pending", arguments: expect.any(String) }] });
    expect(JSON.stringify(listed)).not.toContain('"args"');
    const wrong = await decide(id, { verdict: "approve", version: 1, fields: { amount: "fifty" } });
    expect(wrong).toMatchObject({ status: 422 });
    expect(wrong.json()).toMatchObject({
      ...{
        code: "form.misfit",
        mistakes: { fields: [{ path: "amount", message: expect.stringContaining("JSON") }], grant: [] },
      },
    });
    const granted = await decide(id, { verdict: "approve", version: 1, grant: { for: "1h", count: 5 } });
    expect(granted.json()).toMatchObject({
      mistakes: { grant: [{ message: expect.stringContaining("does not say") }] },
    });
    for (const more of [{ fields: [] }, { fields: { amount: 1 } }, { grant: { same: [] } }, { args, fields: {} }])
      expect((await decide(id, { verdict: "approve", version: 1, ...more })).status).toBe(400);
    expect((await send(`/v1/approvals/${id}`, { headers: bearer() })).json()).toMatchObject({ state: "pending" });
    expect((await decide(id, { verdict: "approve", version: 1, fields: { amount: "5000" } })).status).toBe(200);
    expect((await answer).status).toBe("ran");
    expect(sample.ran).toEqual([{ tool: "stripe.refund", args: { ...args, amount: 5_000 } }]);
  });

  it("gives the five answers, each as a problem but `applied` (traps 14 and 15)", async () => {
    const { id, answer, args } = await paused();
    const stale = await decide(id, { verdict: "approve", version: 9 });
    expect(stale).toMatchObject({ status: 409 });
    expect(stale.json()).toMatchObject({ status: 409, code: "stale_version", title: expect.any(String) });
    const locked = await decide(id, { verdict: "approve", version: 1, args: { ...args, customer: "cus_99" } });
    expect(locked.status).toBe(422);
    expect(locked.json()).toMatchObject({ code: "not_allowed", approval: { state: "pending" } });
    const applied = await decide(id, { verdict: "deny", version: 1, note: "no" });
    expect(applied.json()).toMatchObject({ answer: "applied", approval: { state: "denied" } });
    await answer;
    expect((await decide("appr_none", { verdict: "deny", version: 1 })).status).toBe(404);
    const quick = sample.gate.call(sample.run, { tool: "mail.send", args: {} }, sample.execute);
    const other = await pendingApproval(sample.store, "mail.send");
    await quick;
    const expired = await decide(other, { verdict: "approve", version: 1 });
    expect(expired.status).toBe(410);
    expect(expired.json()).toMatchObject({ code: "expired", answer: "expired" });
    expect(sample.ran).toEqual([]);
  });

  it("runs no module that is none of the policy files, whatever a request names", async () => {
    const text = `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(join(place.cwd, "ran"))}, "");\n`;
    writeFileSync(join(place.cwd, "stranger.ts"), text);
    writeFileSync(join(place.cwd, "policies.yaml"), "saferun: policy/v1\n");
    const answer = await send("/v1/policies/check", {
      method: "POST",
      headers: { ...bearer(), ...JSON_BODY },
      body: JSON.stringify({ files: [{ file: "stranger.ts", text }] }),
    });
    expect(answer.json()).toMatchObject({ status: 422, code: "policy.readonly" });
    expect(statSync(join(place.cwd, "ran"), { throwIfNoEntry: false })).toBeUndefined();
    rmSync(join(place.cwd, "policies.yaml"));
  });

  it("takes strict JSON of a bounded size, and nothing else", async () => {
    const { id, answer } = await paused();
    const good = { verdict: "approve", version: 1 };
    const post = (headers: Readonly<Record<string, string>>, body: string) =>
      send(`/v1/approvals/${id}/decide`, { method: "POST", headers: { ...bearer(), ...headers }, body });
    for (const type of [
      "application/x-www-form-urlencoded",
      "text/plain",
      "multipart/form-data",
      "application/json-patch+json",
    ]) {
      expect((await post({ "content-type": type }, JSON.stringify(good))).status, type).toBe(415);
    }
    expect((await post({}, JSON.stringify(good))).status).toBe(415);
    for (const body of [
      "",
      "{",
      "null",
      '{"verdict":"approve","version":1,"verdict":"deny"}',
      JSON.stringify({ ...good, force: true }),
      JSON.stringify({ verdict: "approve" }),
      JSON.stringify({ ...good, version: "1" }),
      JSON.stringify({ ...good, verdict: "allow" }),
      JSON.stringify({ ...good, note: 5 }),
      JSON.stringify({ verdict: "deny", version: 1, args: {} }),
    ]) {
      expect((await decide(id, body)).status, body).toBe(400);
    }
    const announced = await post({ ...JSON_BODY, "content-length": "5000000" }, "{}");
    expect(announced.status).toBe(413);
    expect((await chunked(id, 5_000_000)).status).toBe(413);
    // Before there is a secret, nobody may send more than a link's code.
    const code = JSON.stringify({ code: "x".repeat(2_000) });
    const large = await send("/session", { method: "POST", headers: { ...JSON_BODY, origin: origin() }, body: code });
    expect(large.status).toBe(413);
    expect(sample.ran).toEqual([]);
    await decide(id, { verdict: "deny", version: 1 });
    await answer;
  });
});
