/** A process killed between recording a question and telling anybody: the next one that opens the store tells it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decideApproval } from "@saferun/core";
import { saferun } from "@saferun/sdk";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { ACTIONS } from "../src/slack/card.ts";
import { buttonsOf, openSlackDesk, SECRET, type SlackDesk, TOKEN } from "./slack-desk.ts";
import { eventually } from "./world.ts";

// Processes of their own on a machine that may be busy: a bound against a hang, not an expectation.
vi.setConfig({ testTimeout: 180_000 });

const POLICIES = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
routes: { default: { to: ["slack:#ops-approvals"], within: 1h } }
tools: { refund: { kind: write } }
rules: [{ id: ask, tool: refund, then: pause }]
`;

let desk: SlackDesk;
let directory = "";
let variables: Record<string, string>;

beforeAll(async () => {
  desk = await openSlackDesk();
});
afterAll(() => desk.close());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-killed-"));
  writeFileSync(join(directory, "policies.yaml"), POLICIES);
  variables = {
    SAFERUN_STATE_DIR: join(directory, "state"),
    SLACK_BOT_TOKEN: TOKEN,
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_API_URL: desk.apiUrl,
    SAFERUN_SLACK_APPROVERS: `${desk.account("ann")}=ann`,
  };
  Object.assign(process.env, variables);
});
afterEach(async () => {
  await saferun.shutdown();
  for (const name of Object.keys(variables)) delete process.env[name];
  rmSync(directory, { recursive: true, force: true });
});

function begin(how: "killed" | "ended") {
  const script = fileURLToPath(new URL("killed-process.ts", import.meta.url));
  const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...flags, script, directory, how], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return once(child, "exit");
}

describe("a process killed between the question and its message", () => {
  it("has asked all the same: another one puts the card once, and closes it", async () => {
    expect(await begin("killed")).toEqual([null, "SIGKILL"]);
    expect(await desk.cards()).toEqual([]);

    let ran = 0;
    const policies = [join(directory, "policies.yaml")];
    saferun.wrap(
      async function refund(_args: { amount: number }) {
        ran++;
      },
      { policies, store: join(directory, "store"), environment: "prod" },
    );
    const card = await eventually(async () => (await desk.cards())[0]);
    expect(buttonsOf(card)).toContain(ACTIONS.approve);

    const store = openSqliteStore({ directory: join(directory, "store") });
    const [approval] = await store.approvals({ state: "pending", limit: 1 });
    expect(card.json).toContain(approval?.id);
    const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
    const by = { id: "local:cy", via: "cli", verified: false } as const;
    await decideApproval(ports, { approval: approval?.id ?? "", verdict: "deny", by });
    await eventually(async () => {
      const [now] = await desk.cards();
      return now !== undefined && buttonsOf(now).length === 0 ? now : undefined;
    });
    await store.close();
    expect(await desk.cards()).toMatchObject([{ json: expect.stringContaining("denied by local:cy") }]);
    expect(ran).toBe(0);
  });
});

describe("a process that comes to its natural end", () => {
  it("shows first how its question ended", async () => {
    const before = (await desk.cards()).length;
    expect(await begin("ended")).toEqual([0, null]);
    const cards = (await desk.cards()).slice(before);
    expect(cards).toMatchObject([{ json: expect.stringContaining("denied by code") }]);
    expect(cards.flatMap(buttonsOf)).toEqual([]);
  });
});
