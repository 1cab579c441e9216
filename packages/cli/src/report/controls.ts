/** What of the report speaks to which requirement. A statement of what is in the record, not an attestation. */
import type { Collected } from "./collect.ts";

export interface Control {
  readonly framework: "SOC 2" | "EU AI Act";
  readonly id: string;
  readonly title: string;
  /** What the record shows, in one sentence with its numbers. */
  readonly evidence: string;
  /** Section of the report. */
  readonly section: "revisions" | "approvals" | "exceptions" | "stops" | "verification" | "record";
}

export function controlsOf(collected: Collected, verification: string): readonly Control[] {
  const { calls, revisions, approvals, exceptions, stops, record, entries, left } = collected;
  const count = (list: keyof typeof left): number => collected[list].length + left[list];
  const answered = approvals.filter(({ type }) => type === "approval.decided");
  const unproven = answered.filter(({ by }) => by?.endsWith("not verified") === true).length;
  const soc2 = { framework: "SOC 2" } as const;
  const act = { framework: "EU AI Act" } as const;
  return [
    {
      ...soc2,
      id: "CC6.1",
      title: "logical access security over protected assets",
      section: "revisions",
      evidence: `${some(calls.proposed, "tool call")} judged by policy before anything ran; ${calls.executed} ran, ${calls.denied} denied.`,
    },
    {
      ...soc2,
      id: "CC6.3",
      title: "access is authorised, changed and removed by role",
      section: "approvals",
      evidence: `${some(calls.asked, "question")} put to people, ${answered.length} answered, ${unproven} by somebody whose identity nobody proved.`,
    },
    {
      ...soc2,
      id: "CC7.2",
      title: "anomalies are monitored",
      section: "exceptions",
      evidence: `${some(count("exceptions"), "exception")} recorded: denials, expired questions, failed and unknown outcomes.`,
    },
    {
      ...soc2,
      id: "CC7.3",
      title: "security events are evaluated",
      section: "stops",
      evidence: `${some(count("stops"), "stop, trip or reset", "stops, trips and resets")}, each with its reason.`,
    },
    {
      ...soc2,
      id: "CC7.4",
      title: "incidents are responded to",
      section: "record",
      evidence: `${some(record.length, "event")} of the log itself: openings, recoveries after a crash, changes of its key.`,
    },
    {
      ...act,
      id: "Article 12(1)",
      title: "automatic recording of events over the lifetime of the system",
      section: "verification",
      evidence: `${some(entries, "entry", "entries")} in the period, in a tamper-evident log: ${verification}.`,
    },
    {
      ...act,
      id: "Article 12(2)",
      title: "events relevant for identifying risks and for monitoring",
      section: "exceptions",
      evidence: `each call with its decision, revision, approval and outcome; ${some(exceptions.length, "exception")} listed.`,
    },
    {
      ...act,
      id: "Article 14(4)(d)",
      title: "a person can decide not to use, or override, the output",
      section: "approvals",
      evidence: `${answered.filter(({ verdict }) => verdict === "deny").length} denied by a person, ${answered.filter(({ verdict }) => verdict === "allow").length} approved, under ${some(revisions.length, "revision")} of policy.`,
    },
    {
      ...act,
      id: "Article 14(4)(e)",
      title: "a person can stop the system",
      section: "stops",
      evidence: `${stops.filter(({ type }) => type === "stop.placed").length} stops placed, ${stops.filter(({ type }) => type === "stop.lifted").length} lifted.`,
    },
  ];
}

function some(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
