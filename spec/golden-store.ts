/**
 * Makes a small store with everything in it that this schema keeps, below `spec/stores/vN`: kept for ever, so that each later
 * version is shown to open, upgrade and verify it. Once for each change of the schema:
 *
 *   node --conditions=@saferun/source spec/golden-store.ts
 *
 * The private key that signed it is thrown away; the public one lies beside it.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createGate, decideApproval } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import {
  createCheckpointer,
  createFileSigner,
  nodeClock,
  nodeHash,
  nodeRandom,
  openSqliteStore,
  signingKeyPath,
} from "@saferun/store";

const POLICY = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
tools:
  stripe.refund: { kind: destructive }
  orders.get: { kind: read }
rules:
  - id: orders-read
    tool: orders.get
    then: allow
  - id: refund
    tool: stripe.refund
    then: pause
    reason: refunds need a person
`;

const directory = mkdtempSync(path.join(tmpdir(), "saferun-golden-"));
const below = openSqliteStore({ directory });
const signer = createFileSigner(signingKeyPath(directory));
const store = createCheckpointer(below, signer);
const loaded = loadPolicies([{ file: "policies.yaml", text: POLICY }], { hash: nodeHash });
if (!loaded.ok) throw new Error("the policy of the golden store does not load");
const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
const gate = createGate({ ...ports, notifier: { paused: answer }, policies: { current: () => loaded.policies } });

function answer({ id }: { id: string }): void {
  const by = { id: "local:golden", via: "code", verified: false };
  void decideApproval(ports, { approval: id, verdict: "approve", by }).catch((error: unknown) => {
    throw error;
  });
}

for (const agent of ["support", "sales"]) {
  const run = gate.openRun({ agent, environment: "prod" });
  await gate.call(run, { tool: "orders.get", args: { id: 17 }, key: "first" }, () => ({ id: 17, total: 4500 }));
  await gate.call(run, { tool: "stripe.refund", args: { amount: 4500 } }, () => ({ ok: true }));
  await gate.call(run, { tool: "shell.exec", args: { cmd: "id" } }, () => null);
  await store.checkpoint();
}
await store.close();

const file = path.join(directory, "log.db");
const db = new DatabaseSync(file);
const version = Number(Object.values(db.prepare("PRAGMA user_version").get() ?? {})[0]);
// Small pages: most tables have a few rows.
db.exec("PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM");
db.close();
const target = path.join(import.meta.dirname, "stores", `v${version}`);
if (existsSync(target)) throw new Error(`${target} exists: a golden store is never made again`);
mkdirSync(target, { recursive: true });
copyFileSync(file, path.join(target, "log.db"));
writeFileSync(path.join(target, "vkey"), `${signer.vkey}\n`);
rmSync(directory, { recursive: true });
process.stdout.write(`${target}: ${readFileSync(path.join(target, "log.db")).length} bytes\n`);
