/** People who are asked about every call, by the routes that a test names, and how they answer. */
import { type Approver, decideApproval, type JsonObject, type PauseReason } from "@saferun/core";
import { nodeHash, nodeRandom } from "@saferun/store";
import { decision, type World, world } from "./world.ts";

type Terms = PauseReason["approval"];

export const terms = (change: Partial<Terms>): Terms => ({
  route: "finance",
  to: ["cli"],
  roles: ["finance"],
  need: 1,
  withinMs: 60_000,
  show: [],
  editable: ["amount"],
  ...change,
});
export const person = (id: string, ...roles: string[]): Approver => ({ id, via: "test", verified: true, roles });
export const ANN = person("ann", "finance");
export const BOB = person("bob", "finance");
export const CY = person("cy", "finance");
export const LEO = person("leo", "legal");

/** Every call asks these routes. */
export function asking(...routes: readonly Terms[]): World {
  const pauses = routes.map((approval, index) => ({ id: `r${index}`, digest: `d${index}`, reason: "ask", approval }));
  return world({ judge: () => decision("pause", "r0", { pauses }) });
}

export const portsOf = ({ store, clock }: World) => ({ store, clock, hash: nodeHash, random: nodeRandom });

interface Said {
  readonly verdict?: "approve" | "deny";
  readonly args?: JsonObject;
  readonly version?: number;
}

export const say = (at: World, by: Approver, { verdict = "approve", ...more }: Said = {}) =>
  decideApproval(portsOf(at), { approval: at.paused.at(-1)?.id ?? "", verdict, by, ...more });
