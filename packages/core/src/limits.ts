/** Every bound of the core in one place. Units stand in the names; over a bound is an error, never a truncation. */
export const LIMITS = {
  /** Canonical arguments of one call. */
  argsBytes: 1_048_576,
  /** What a run with its sub-agents, and an agent on one day, may fill of the record where nothing else is said: no honest one does. */
  runBytes: 1_073_741_824,
  agentBytesPerDay: 17_179_869_184,
  /** Nesting of lists and maps in arguments and in any canonical JSON. */
  jsonDepth: 64,
  /** Values (leaves, lists, maps) in one call's arguments. */
  jsonValues: 100_000,
  /** UTF-8 bytes of a tool, agent or environment name. */
  nameBytes: 256,
  /** Header of one log entry. */
  headerBytes: 4_096,
  /** One part of a log entry (prompt, response, arguments, result). */
  partBytes: 16_777_216,
  /** One policy file. */
  policyBytes: 4_194_304,
  /** Nesting of lists and maps in a policy file. */
  policyDepth: 64,
  /** Nodes and nesting of one condition, checked at load. */
  celNodes: 4_096,
  celDepth: 64,
  /** Steps of one condition at run time; one per node visited and per list item. */
  celSteps: 100_000,
  celListItems: 10_000,
  celStringBytes: 262_144,
  /** Parts of one argument schema, checked at load. */
  schemaNodes: 10_000,
  /** Work of one validation: a step per part of the schema that meets a value, and per 64 visits of a pattern's state. */
  schemaSteps: 1_000_000,
  /** How long an approval waits where its route says nothing. */
  approvalWithinMs: 3_600_000,
  /** How long an approval stays usable after the decision. */
  approvalValidMs: 900_000,
  /** Calls of one run, its sub-agents included, that may wait for a person at once. */
  waitingCalls: 100,
  /** Calls of one run, its sub-agents included, that `run.calls` and `run.attempts` may hold, and characters of their arguments. */
  historyCalls: 500,
  historyBytes: 4_194_304,
  /** Runs of sub-agents under one root whose calls a history may hold. */
  historyRuns: 200,
  /** How often a call whose rules read the run's history is judged again because the history has moved on. */
  historyTries: 200,
  /** How long a claim is believed without a sign of life from its owner. */
  leaseMs: 120_000,
  /** How long a call of a model may go on; one without an answer by then is booked at its estimate. */
  modelHoldMs: 3_600_000,
} as const;

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };
