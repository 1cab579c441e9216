import { agentGovernance } from "./agent-governance.ts";
import { bufbuildCel } from "./bufbuild-cel.ts";
import { casbin } from "./casbin.ts";
import { casl } from "./casl.ts";
import { cedarWasm } from "./cedar.ts";
import { celJs } from "./cel-js.ts";
import { jsonLogicBuilt, jsonLogicInterpreted } from "./json-logic.ts";
import type { Peer } from "./peer.ts";

/** With what the product promises of the ratio to SafeRun, where it promises anything. */
export const PEERS: readonly { readonly peer: Peer; readonly atLeast?: number }[] = [
  { peer: celJs, atLeast: 4 },
  { peer: bufbuildCel },
  { peer: cedarWasm, atLeast: 100 },
  { peer: jsonLogicBuilt },
  { peer: jsonLogicInterpreted },
  { peer: casl },
  { peer: casbin },
  { peer: agentGovernance },
];
