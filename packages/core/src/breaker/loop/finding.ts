/** What a detector found, as data: what to do, why, and the words for the model. */
import { toHex } from "../../call.ts";
import { type DetectorMode, type DetectorName, REACTIONS, type Reaction } from "../../detectors.ts";
import type { Hash } from "../../ports.ts";
import { canonicalJson } from "../../value/json.ts";

export interface Finding {
  readonly detector: DetectorName;
  readonly reaction: Reaction;
  readonly mode: DetectorMode;
  /** What an approval of this finding is about: the same loop has the same key. */
  readonly key: string;
  readonly tool: string;
  readonly count: number;
  readonly limit: number;
  /** For the model: third person, the rule, what is still allowed. Never asks for another attempt. */
  readonly text: string;
  /** Calls that show it, oldest first: for people. */
  readonly calls: readonly string[];
}

/** The rule id that decisions, denials and pause reasons carry. */
export function ruleOf(finding: Pick<Finding, "detector">): string {
  return `breaker:${finding.detector}`;
}

/**
 * What an approval of this finding is bound to, hex: the same loop at the same limit, whatever its count is by then. Stands
 * as `digest` in the pause reason.
 */
export function findingDigest({ detector, key, limit }: Finding, hash: Hash): string {
  return toHex(
    hash.sha256(new TextEncoder().encode(`saferun/finding/v1\u0000${canonicalJson([detector, key, limit])}`)),
  );
}

/** The most severe reaction among enforced findings; undefined where nothing is to be done. */
export function severest(findings: readonly Finding[]): Reaction | undefined {
  let most = -1;
  for (const { mode, reaction } of findings) {
    if (mode === "enforce") most = Math.max(most, REACTIONS.indexOf(reaction));
  }
  return REACTIONS[most];
}

const REFUSED: Readonly<Record<Reaction, string>> = {
  annotate: "The call runs.",
  pause: "The call waits for a person.",
  deny: "The call did not run.",
  trip_run: "The call did not run, and the run is stopped until a person resets it.",
  trip_agent: "The call did not run, and the agent is stopped until a person resets it.",
};

export function makeFinding(
  of: Omit<Finding, "text"> & { readonly observed: string; readonly allowed: string },
): Finding {
  const { observed, allowed, ...finding } = of;
  const rule = `Rule ${ruleOf(finding)}, limit ${finding.limit}.`;
  const stopped = finding.reaction === "trip_run" || finding.reaction === "trip_agent";
  const rest = stopped ? "" : ` ${allowed}`;
  return Object.freeze({ ...finding, text: `${observed} ${rule} ${REFUSED[finding.reaction]}${rest}` });
}

/** A tool's name as it may stand in a sentence: bounded, without control characters or back ticks. */
export function named(tool: string): string {
  return `\`${tool.replace(/[\u0000-\u001f\u007f-\u009f`]/g, "?").slice(0, 128)}\``.toWellFormed();
}
