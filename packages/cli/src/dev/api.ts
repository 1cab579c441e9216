/** The API of `saferun dev`: the server's, over the store and the policies of this place, for the account of this machine. */
import type { Store } from "@saferun/core";
import { createServerApp, erasuresOf, type ServerApp } from "@saferun/server";
import { type CheckpointedStore, nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { roleHint } from "../approvals/answer.ts";
import { localApprover } from "../approvals/approver.ts";
import { foreseeing } from "../approvals/foresee.ts";
import type { Io } from "../io.ts";
import { foundPolicyFiles, loadUsablePolicies } from "../policy-files.ts";
import { localActor } from "../protections/act.ts";
import { version } from "../version.ts";
import { channelDesk } from "./desk/channels.ts";
import { exportDesk } from "./desk/export.ts";
import { draftedPolicies, policyDesk } from "./desk/policies.ts";
import { projectOf } from "./desk/project.ts";
import { replayDesk } from "./desk/replay.ts";
import { searchDesk } from "./desk/search.ts";

export interface DevApi {
  readonly app: ServerApp;
  close(): Promise<void>;
}

export interface DevApiOptions {
  readonly io: Io;
  /** With its content in the clear, as far as it can be opened. */
  readonly store: Store;
  /** As it is stored. */
  readonly sealed: CheckpointedStore;
  /** The store's directory. */
  readonly directory: string;
  readonly policies: readonly string[];
}

export function createDevApi({ io, store, sealed, directory, policies }: DevApiOptions): DevApi {
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const foresee = foreseeing(io, ports);
  const search = searchDesk(directory);
  const app = createServerApp({
    ...ports,
    foresee,
    person: { name: io.user, approver: localApprover(io.user, "dashboard"), actor: localActor(io), hint: roleHint },
    search,
    exports: exportDesk(sealed, search.index),
    policies: policyDesk({ io, patterns: policies, store: directory }),
    replay: replayDesk(
      store,
      sealed,
      draftedPolicies(io, policies),
      async () => (await loadUsablePolicies(io, policies)).policies,
      (entries) => erasuresOf(search.search, entries),
    ),
    channels: channelDesk(),
    about: { store: directory },
    project: () =>
      projectOf({ cwd: io.cwd, store: directory, policies: () => foundPolicyFiles(io, policies), version: version() }),
  });
  return { app, close: () => search.close() };
}
