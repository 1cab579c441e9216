/**
 * How an agent stands in headers, which hold no free text: a plain name as it is, any other as an id that is made of it. The
 * name behind an id is content, in the part `agent` of each run's start.
 */
import { toHex } from "../call.ts";
import type { Hash } from "../ports.ts";

/** A name that a model may have made up is free text: only a plain one stands in a header, others go into a part. */
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,127}$/;
const ID = /^agent_[0-9a-f]{64}/;
const encoder = new TextEncoder();

export function isPlainName(name: string): boolean {
  return PLAIN_NAME.test(name);
}

/**
 * The same for the same name, in every store; no two names have one. A name that begins like an id is taken for no plain one,
 * so that no agent passes for another by calling itself by its id.
 */
export function agentId(name: string, hash: Hash): string {
  if (isPlainName(name) && !ID.test(name)) return name;
  // As JSON, which tells apart what UTF-8 does not: lone surrogates.
  return `agent_${toHex(hash.sha256(encoder.encode(`saferun/agent/v1\u0000${JSON.stringify(name)}`)))}`;
}

/** False for plain names: they say themselves who is meant. */
export function isAgentId(text: string): boolean {
  return ID.test(text) && text.length === ID_LENGTH;
}

const ID_LENGTH = "agent_".length + 64;

/** In a run's start, where the agent's name is no plain one. */
export const AGENT_PART = "agent";
