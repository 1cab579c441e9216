/**
 * Every promise of SafeRun, in one list. Tests cite the ids in their titles: `[P6]` proves the whole promise, `[P6~]` is part
 * of the evidence. A promise without `gap` must be proven by a test that passes; a gap says in one line what is missing.
 * `npm test` fails when this list and the tests disagree; `npm run requirements` prints how each promise stands.
 */
export interface Requirement {
  readonly id: string;
  readonly sentence: string;
  /** Why it is not met yet. Absent: a test proves it. */
  readonly gap?: string;
}

export const REQUIREMENTS: readonly Requirement[] = [
  // Policies
  {
    id: "P1",
    sentence:
      "YAML policy files, strict: unknown or duplicate keys, unknown functions, unknown tools or arguments, wrong types are errors at load with file:line:column and a suggested fix; JSON Schema for editor completion",
  },
  {
    id: "P2",
    sentence:
      'The same rules in TypeScript (`rule({...})`), building the same tree; opaque functions allowed and marked "not analysable"',
  },
  {
    id: "P3",
    sentence: "Scope by tool, agent, environment (names or globs), principal and labels",
  },
  {
    id: "P4",
    sentence:
      "Conditions in CEL on arguments: nested objects, lists, quantifiers, exact money, typed helpers for what attackers bend (mail domain, URL host, path, shell, SQL, invisible characters)",
  },
  {
    id: "P5",
    sentence:
      "Arguments validated at the gate against the tool's schema, taken from the framework's own tool definition where there is one",
  },
  {
    id: "P6",
    sentence:
      'Order-free verdicts: deny > pause > allow; nothing matched → the environment\'s default, deny in prod; an error in a deny or pause rule makes it match (and permits nothing), in an allow rule makes it not match; `else: pause` says "up to X allow, above ask" in one rule',
  },
  {
    id: "P7",
    sentence:
      "Changes: clamp, redact, set, drop an argument; a change never turns a deny or pause into an allow; rules run again on the changed arguments",
  },
  {
    id: "P8",
    sentence:
      "Arguments bound from the authenticated session (`tenant_id`, `customer_id`), overriding what the model wrote",
  },
  {
    id: "P9",
    sentence:
      "Hot reload in production without redeploying the agent: checked, tested, then one atomic swap; on any failure the last good set stays and everyone is told; every decision names the policy revision",
  },
  {
    id: "P10",
    sentence:
      "Static analysis: unreachable, shadowed, redundant, conflicting rules, denies that omission switches off, unknown arguments and types — 10,000 rules in a second",
  },
  {
    id: "P11",
    sentence: "Policy tests beside the policies, run by `saferun test` and on every reload",
  },
  {
    id: "P12",
    sentence: "Observe mode per environment or rule: decide and record, do not block",
  },
  {
    id: "P13",
    sentence: "Backtest: what would this change have done to the last N days of real calls, call by call",
  },
  {
    id: "P14",
    sentence: "Diff of two policy sets: who gains what, who loses what",
  },
  {
    id: "P15",
    sentence:
      "Provenance and flow rules: where did this argument's value come from — the user's prompt, known facts, a trusted result, untrusted text — decided by matching, not by a model",
    gap: "provenance is not built",
  },
  {
    id: "P16",
    sentence:
      "Every decision explains itself: verdict, rule with file:line, the values that made it true, why the nearest other rules did not match, what to do instead",
  },
  {
    id: "P17",
    sentence:
      "`saferun init` writes a first policy from the agent's own tool definitions and, later, from observed traffic",
  },
  {
    id: "P18",
    sentence:
      'Records: a rule reads facts from earlier results of the run by key ("the order belongs to the customer who authenticated"), kept fresh by writes',
    gap: "records are not built",
  },
  // Approvals
  {
    id: "A1",
    sentence: "A paused call waits in process and then runs exactly once",
  },
  {
    id: "A2",
    sentence:
      "It survives a restart: the agent process may die, the decision is kept, the run resumes in another process through the framework's own mechanism",
  },
  {
    id: "A3",
    sentence:
      "The approver edits the arguments and sees a diff; the edited call goes through schema, policy and budgets again; the log holds both; the model is told what ran",
  },
  {
    id: "A4",
    sentence:
      "An approval is bound to the digest of exactly one call, single use, expires, and is checked against policy again when it is used",
  },
  {
    id: "A5",
    sentence:
      "Slack: buttons, an edit form, only allowed people, verified signature, the message updates after the decision; HTTP and socket mode",
  },
  {
    id: "A6",
    sentence: "Linear: an issue with the call, decided from the issue, verified webhook",
  },
  {
    id: "A7",
    sentence:
      "PagerDuty: pages the on-call tier, links to the decision, escalates, resolves; acknowledging is not approving",
  },
  {
    id: "A8",
    sentence: "Signed webhooks (Standard Webhooks) and e-mail links for everything else",
  },
  { id: "A9", sentence: "Dashboard inbox and CLI" },
  {
    id: "A10",
    sentence:
      "Routes with roles, n-of-m, escalation, deadlines; silence denies; nobody approves their own agent's call where the policy says so",
  },
  {
    id: "A11",
    sentence:
      'Scoped, expiring grants ("the same recipient, for one hour, up to $50") instead of prompt fatigue; sticky denials',
  },
  {
    id: "A12",
    sentence:
      'A "pending" answer for clients with short time limits; the call runs when it is asked again after approval',
  },
  {
    id: "A13",
    sentence: "Several calls decided in one view, each bound on its own",
  },
  // Breakers
  {
    id: "B1",
    sentence:
      "Loops: same call and same result, cycles, near-equal results, error streaks, denial storms — result-aware, so that paging and polling are not loops",
  },
  {
    id: "B2",
    sentence: "Model spend stopped before the call: an upper bound is reserved, the real usage settled",
  },
  {
    id: "B3",
    sentence: "Budgets on any quantity: refund dollars, mails, rows, calls; per agent, run, tool, customer, day",
  },
  {
    id: "B4",
    sentence: "Exact under concurrency and across replicas: overspend 0",
    gap: "exact over processes on one SQLite store; replicas come with the PostgreSQL store",
  },
  {
    id: "B5",
    sentence: "Health breakers per tool: open, half-open with one probe, closed",
  },
  {
    id: "B6",
    sentence:
      "Kill switch for everything, an agent, a tool, a run: no effectful call starts afterwards, all replicas within 1 s, also when partitioned",
    gap: "exact over processes on one SQLite store; replicas come with the PostgreSQL store",
  },
  {
    id: "B7",
    sentence: "A trip tells people at once and why; only a named person with the role may reset it, with a reason",
  },
  {
    id: "B8",
    sentence: "Every detector can observe first and be tuned on recorded runs",
  },
  {
    id: "B9",
    sentence: "Sub-agents spend from their parent's budget and share its loop history",
  },
  // Replay
  {
    id: "R1",
    sentence:
      "A run as steps: prompt, response, tool call, arguments as proposed and as run, decision and rule, result, latency, tokens, cost",
  },
  {
    id: "R2",
    sentence: "Step through it with the keyboard in the dashboard, and in the terminal",
  },
  {
    id: "R3",
    sentence: "What if: the same run under another policy, breaker or budget setting",
  },
  {
    id: "R4",
    sentence: "Re-execute the agent's own code against the recorded responses, with a report of the first divergence",
  },
  {
    id: "R5",
    sentence: "Fork from a step with a changed response or argument, recorded results only",
  },
  {
    id: "R6",
    sentence: "Two runs side by side (two models, two prompts, two policies)",
  },
  { id: "R7", sentence: "Live: watch runs as they happen" },
  { id: "R8", sentence: "An evidence bundle of a run that verifies offline" },
  {
    id: "R9",
    sentence: "From incident to regression test in one command",
  },
  // Log
  {
    id: "L1",
    sentence:
      "Prompt, response, tool call, decision, approval, outcome: written durably before the tool runs; no record, no execution",
  },
  {
    id: "L2",
    sentence:
      "A Merkle log with signed checkpoints in the public formats (RFC 6962 hashing, C2SP checkpoint and signed note), so that standard tools verify it offline",
  },
  {
    id: "L3",
    sentence:
      "Change, deletion, insertion, reordering, truncation and forks are all detected against anyone who lacks the signing key; against someone who holds store and key, everything up to the last checkpoint anchored outside",
  },
  {
    id: "L4",
    sentence: "Search in full text, filter by every field, under a second on millions of records",
  },
  {
    id: "L5",
    sentence: "Export: JSONL, CSV, OCSF, OTLP, Parquet; streaming to SIEM, syslog, webhooks, object storage",
    gap: "Parquet, OCSF, OTLP and continuous sinks follow",
  },
  {
    id: "L6",
    sentence:
      "Secrets redacted before anything is hashed or stored; payloads sealed at rest on demand; erasing a person's data keeps every proof valid",
  },
  {
    id: "L7",
    sentence: "Retention and archive with proofs that outlive the rows",
  },
  {
    id: "L8",
    sentence:
      "Evidence report for SOC 2 and EU AI Act articles 12 and 14: controls, approvals, exceptions, verification result",
  },
  // Gate
  { id: "G1", sentence: "The three lines above, verbatim" },
  {
    id: "G2",
    sentence:
      "AI SDK 6 and 7, OpenAI Agents, LangChain and LangGraph, Mastra, Claude Agent SDK, MCP clients, raw OpenAI and Anthropic clients, plain objects and functions: a denied call never runs, on every door the framework has (streaming, parallel, late tools, sub-agents, resume)",
    gap: "most of the named frameworks have no adapter yet",
  },
  {
    id: "G3",
    sentence: "Gate server: HTTP API with OpenAPI, agent tokens, roles, rate limits",
    gap: "the gate server is not built",
  },
  {
    id: "G4",
    sentence:
      "MCP gateway: any agent in any language, stdio and HTTP, tool lists filtered by policy, descriptions pinned",
    gap: "the MCP gateway is not built",
  },
  {
    id: "G5",
    sentence:
      "Model proxy speaking OpenAI's and Anthropic's wire formats: records prompts and responses, enforces spend",
    gap: "the model proxy is not built",
  },
  {
    id: "G6",
    sentence:
      "Credentials behind the gate: sealed at rest, injected only at execution, never in the agent, the log, an error or a notification",
    gap: "the vault is not built",
  },
  { id: "G7", sentence: "Edge: the same decision on Cloudflare Workers, Bun and Deno", gap: "the edge is not built" },
  {
    id: "G8",
    sentence: "Grows from one SQLite file to PostgreSQL and many replicas with a setting",
    gap: "there is no PostgreSQL store",
  },
  {
    id: "G9",
    sentence: "Dashboard: inbox, runs, replay, log, breakers and budgets, policies with a playground, agents and tools",
  },
  {
    id: "G10",
    sentence: "CLI for everything the dashboard does",
    gap: "putting a draft of policies in force and taking it back is in the dashboard alone",
  },
  {
    id: "G11",
    sentence: "Reconciliation: a tool result the gate never decided on is noticed and alarmed",
    gap: "reconciliation at the model boundary is not built",
  },
  {
    id: "G12",
    sentence: "OpenTelemetry spans and metrics in the GenAI conventions",
    gap: "OpenTelemetry is not built",
  },
];
