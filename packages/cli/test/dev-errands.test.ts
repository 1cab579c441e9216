/** What `saferun dev` does beside its page: it tells people what another process has left to be told. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { askedRows, decideApproval } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, start } from "./saferun.ts";
import { openSample, pendingApproval, type Sample } from "./sample.ts";

let place: Place;
let sample: Sample;
const got: string[] = [];
const receiver = createServer(async (request, response) => {
  let text = "";
  for await (const piece of request) text += String(piece);
  got.push(text);
  response.end();
});

beforeEach(async () => {
  place = makePlace();
  sample = openSample(place.store);
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
});
afterEach(async () => {
  receiver.close();
  receiver.closeAllConnections();
  await sample.store.close();
  place.remove();
});

async function next(count: number): Promise<Record<string, unknown>> {
  while (got.length < count) await nodeClock.sleep(20);
  return JSON.parse(got[count - 1] ?? "") as Record<string, unknown>;
}

describe("saferun dev, errands", () => {
  it("sends what stands in the outbox, and how it ended", async () => {
    const args = { amount: 9_000 };
    const answer = sample.gate.call(sample.run, { tool: "stripe.refund", args }, sample.execute);
    const id = await pendingApproval(sample.store, "stripe.refund");
    const approval = await sample.store.approval(id);
    if (approval === undefined) throw new Error("no approval");
    const rows = askedRows(approval, ["webhook:audit", "cli"], nodeClock.now()).map((row) => ({ row, expect: null }));
    expect(rows).toHaveLength(1);
    await sample.store.commit({ rows, entries: [] });
    const secret = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
    const child = start(place, ["dev", "--port", "0", "--json", "--no-open", "--store", place.store], {
      SAFERUN_WEBHOOK_AUDIT_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
      SAFERUN_WEBHOOK_AUDIT_SECRET: secret(1),
      SAFERUN_WEBHOOK_AUDIT_ANSWER_SECRET: secret(2),
    });
    try {
      expect(await next(1)).toMatchObject({ type: "approval.requested", data: { approval: id } });
      const ports = { store: sample.store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
      await decideApproval(ports, {
        approval: id,
        verdict: "deny",
        by: { id: "local:ann", via: "cli", verified: false },
      });
      expect(await next(2)).toMatchObject({ type: "approval.closed", data: { approval: id, verdict: "deny" } });
      expect((await answer).status).toBe("denied");
      expect(sample.ran).toEqual([]);
    } finally {
      child.kill("SIGINT");
      await once(child, "close");
    }
    expect(got).toHaveLength(2);
  });
});
