/** Recorded calls and results through the detectors of one policy set: pure, one state for each run and each agent. */
import {
  type AgentHistory,
  callKeys,
  type Finding,
  newAgent,
  newRun,
  type Outcome,
  type PolicySet,
  type Reaction,
  type RunHistory,
  resultKeys,
  resultText,
  severest,
  stepAgent,
  stepRun,
  type ToolCall,
} from "@saferun/core";
import { nodeHash } from "@saferun/store";

/** A call as it was proposed. */
export interface ProposedCall {
  readonly id: string;
  readonly run: string;
  readonly principal: string;
  readonly depth: number;
  /** Store time, ms. */
  readonly at: number;
  readonly call: ToolCall;
}

/** How a call ended, with its result or error as a text. */
export interface Ended {
  readonly outcome: Outcome;
  readonly text: string;
  readonly at: number;
}

export interface Heard {
  readonly findings: readonly Finding[];
  /** The most severe that is enforced; undefined: the call goes on. */
  readonly reaction: Reaction | undefined;
}

/**
 * Follows what was recorded: a call that these settings would have stopped still ends as it did, so that every later call is
 * judged by what really happened before it. Spend, earlier runs' acts and a person's messages are not in the record of a call.
 */
export class Replay {
  readonly #policies: PolicySet;
  readonly #runs = new Map<string, RunHistory>();
  readonly #agents = new Map<string, AgentHistory>();

  constructor(policies: PolicySet) {
    this.#policies = policies;
  }

  propose({ id, run, principal, depth, at, call }: ProposedCall): Heard {
    const settings = this.#settings(call);
    const traits = this.#policies.traits(call.tool);
    const keys = callKeys(call, traits, nodeHash);
    const spending = { depth, usdMicros: null };
    const event = { type: "proposed", callId: id, keys, traits, spending, earlier: null } as const;
    const ofRun = stepRun(this.#run(run, at), event, at, settings);
    const ofAgent = stepAgent(this.#agent(call), { type: "proposed", keys }, at, settings);
    this.#runs.set(run, ofRun.state);
    this.#agents.set(agentKey(call), ofAgent.state);
    return this.#heard([...ofRun.findings, ...ofAgent.findings], { run, principal, at, call });
  }

  /** `rules`: what denied it then. */
  deny({ id, run, principal, at, call }: ProposedCall, rules: readonly string[]): Heard {
    const event = { type: "denied", callId: id, tool: call.tool, rules } as const;
    const step = stepRun(this.#run(run, at), event, at, this.#settings(call));
    this.#runs.set(run, step.state);
    return this.#heard(step.findings, { run, principal, at, call });
  }

  end({ id, run, call }: ProposedCall, { outcome, text, at }: Ended): void {
    const traits = this.#policies.traits(call.tool);
    const { tool, kind, callKey, identityKey } = callKeys(call, traits, nodeHash);
    const errorClass = outcome === "succeeded" ? null : "error";
    const result = resultKeys(resultText(text), traits, nodeHash);
    const print = { callId: id, at, tool, kind, callKey, identityKey, ...result, outcome, errorClass };
    const step = stepRun(this.#run(run, at), { type: "finished", print }, at, this.#settings(call));
    this.#runs.set(run, step.state);
  }

  #heard(found: readonly Finding[], of: Pick<ProposedCall, "run" | "principal" | "at" | "call">): Heard {
    const reaction = severest(found);
    if (reaction !== "trip_run") return { findings: found, reaction };
    const { run, principal, at, call } = of;
    const step = stepAgent(this.#agent(call), { type: "run_tripped", run, principal }, at, this.#settings(call));
    this.#agents.set(agentKey(call), step.state);
    const findings = [...found, ...step.findings];
    return { findings, reaction: severest(findings) };
  }

  #settings({ agent, environment, tool }: ToolCall) {
    return this.#policies.detectors({ agent, environment, tool });
  }

  #run(id: string, at: number): RunHistory {
    return this.#runs.get(id) ?? newRun(at);
  }

  #agent(call: ToolCall): AgentHistory {
    return this.#agents.get(agentKey(call)) ?? newAgent();
  }
}

function agentKey({ agent, environment }: ToolCall): string {
  return JSON.stringify([environment, agent]);
}
