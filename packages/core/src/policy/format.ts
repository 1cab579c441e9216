/**
 * THE definition of the policy format. The strict checker (`read.ts`), the TypeScript types below, the JSON Schema of
 * `@saferun/document` and `renderReference` are all derived from it.
 */
import { RECORDS, SEALS } from "../keeping.ts";
import { breakers, budget, TRAIT_FIELDS } from "./limits/format.ts";
import {
  duration,
  either,
  expression,
  flag,
  type Infer,
  integer,
  json,
  list,
  map,
  name,
  number,
  object,
  optional,
  required,
  reserved,
  some,
  text,
  time,
  words,
} from "./shape.ts";

const KINDS = ["read", "write", "destructive", "none"] as const;

/** The types a `context` field may be declared with, and the CEL names they stand for. */
const CONTEXT_TYPES = ["string", "int", "double", "bool", "list(string)", "list(int)"] as const;

const verdictOrNothing = words("allow", "deny");

const environment = object({
  unmatched: optional(
    either(
      verdictOrNothing,
      object({
        read: optional(verdictOrNothing, "For tools that only read."),
        none: optional(verdictOrNothing, "For tools without any effect outside the run."),
        write: optional(verdictOrNothing, "For tools that write."),
        destructive: optional(verdictOrNothing, "For tools that destroy, and for all tools without a kind."),
      }),
    ),
    "What happens to a call that no rule permits: one word, or one per kind of tool. Absent: `deny`.",
  ),
  mode: optional(
    words("enforce", "observe"),
    "`observe` decides and records what would have happened, and blocks nothing. Absent: `enforce`.",
  ),
  record: optional(
    words(...RECORDS),
    "How much of the arguments and results of calls the log keeps there: all, `shape` (names and types without values), or `digest` (a SHA-256 alone). With a tool's own word the stricter one holds. Absent: `full`.",
  ),
  seal: optional(
    words(...SEALS),
    "Whose key the content of calls, prompts and answers is sealed with at rest there: one for each `run`, or for each `subject`. With a tool's own word `subject` holds over `run`. Absent: in the clear.",
  ),
  max_age: reserved("A gate whose policies are older denies."),
});

const route = object({
  to: optional(
    list(name("any")),
    "Where the question is put: `dashboard`, `cli`, or a channel such as `slack:#ops`. Absent: `dashboard`.",
  ),
  roles: optional(list(name("name")), "Who may answer. Absent: `approver`."),
  need: optional(
    integer(1, 100),
    "How many people must agree. Above 1, whoever edits the call does not count on their own version. Absent: `1`.",
  ),
  within: optional(duration, "How long the question stands; silence then denies. Absent: `1h`."),
  not: optional(
    list(words("requester")),
    "Who may not answer: `requester` is the principal of the run, and the owner of the agent.",
  ),
  after: optional(
    list(map("time", some(name("any")))),
    "Who is asked too when nobody has answered by then, such as `[{ 30m: pagerduty:payments }]`.",
  ),
  leaves: reserved("Which argument fields may leave to a channel."),
});

const approval = object({
  route: optional(name("name"), "A name under `routes`. Absent: `default`."),
  show: optional(list(name("path")), "Argument paths shown first. They order, they hide nothing."),
  editable: optional(list(name("path")), "Argument paths that the approver may change."),
  grantable: optional(flag, "On pause rules: a person may permit the like for a while. Absent: `false`."),
});

const REDACTED_KINDS = ["card", "iban", "secret"] as const;

const change = object({
  clamp: optional(name("path"), "A number to bring within `min` and `max`."),
  min: optional(number, "With `clamp`: the least it may be."),
  max: optional(number, "With `clamp`: the most it may be."),
  missing: optional(
    words("set", "error"),
    "With `clamp`: what happens where the argument is absent. `set` writes the bound. Absent: `error`, which denies.",
  ),
  drop: optional(name("path"), "An argument to take out."),
  set: optional(name("path"), "An argument to write, whatever stands there."),
  to: optional(expression, "With `set`: its value, read from the arguments as they were before any change."),
  redact: optional(name("path"), "An argument in whose texts, also the ones inside of it, something is replaced."),
  kinds: optional(list(words(...REDACTED_KINDS)), "With `redact`: what is looked for."),
  match: optional(expression, 'With `redact`: a pattern in RE2 syntax as a CEL text, such as `r"[0-9]{9}"`.'),
  with: optional(text, "With `redact`: what stands there instead. Absent: `[redacted]`."),
});

const rule = object({
  id: required(name("rule"), "Unique over all files."),
  tool: optional(some(name("glob")), "Tools it applies to: names or globs, `*` matches any characters."),
  kind: optional(some(words(...KINDS)), "Kinds of tools it applies to."),
  label: optional(some(name("any")), "Labels of tools it applies to, from `tools`."),
  agent: optional(some(name("glob")), "Agents it applies to: names or globs. Absent: all."),
  env: optional(some(name("name")), "Environments it applies to. Absent: all."),
  principal: optional(some(name("any")), "On whose behalf: an id, or `role:NAME`. Absent: all."),
  when: optional(expression, "The condition, in CEL. Absent: always true."),
  then: required(words("allow", "deny", "pause"), "What a match says."),
  else: optional(words("pause", "deny"), "On allow rules: what it says where `when` is false or fails."),
  approval: optional(approval, "Who is asked, and what they see and may change."),
  change: optional(
    some(change),
    "On allow and pause rules: what is changed in the arguments where the rule matches. The result is judged again.",
  ),
  reason: optional(text, "Told to the agent and to the approver when the call does not simply run."),
  fix: optional(text, "Told to the agent: what to do instead."),
  mode: optional(words("enforce", "observe"), "`observe`: evaluated and recorded, without any part in the verdict."),
});

const tool = object({
  kind: optional(words(...KINDS), "What the tool does to the world. Absent: `destructive`."),
  labels: optional(list(name("any")), "Own words, for `label` in rules."),
  aliases: optional(list(name("tool")), "Other spellings of this tool's name."),
  schema: optional(
    either(text, json),
    "The JSON Schema of its arguments: a file (`./refund.json`, from this file) or the schema itself. Absent: the framework's own.",
  ),
  ...TRAIT_FIELDS,
  record: optional(
    words(...RECORDS),
    "How much of the arguments and results of its calls the log keeps: all, `shape` (names and types without values), or `digest` (a SHA-256 alone). Absent: as the environment says.",
  ),
  index: optional(
    list(name("leaf")),
    "Arguments that `args.…` filters are answered for from the search index, such as `amount` or `lines[].sku`.",
  ),
  search: optional(
    either(
      words("off"),
      object({ off: required(list(name("leaf")), "Arguments that search does not find, such as `customer.name`.") }),
    ),
    "What stays out of the search index, which holds its words in the clear: `off` for all content of its calls, or `{ off: [paths] }`. Absent: nothing.",
  ),
  subject: optional(
    name("path"),
    "The argument that says whose data a call holds, for `saferun log erase --subject`. Absent: the run's principal.",
  ),
  seal: optional(
    words(...SEALS),
    "Whose key the content of its calls is sealed with at rest, and the prompts and answers of models with it: one for each `run`, or for each `subject`; erasing them destroys it. Sealed content is not found by search. Absent: as the environment says.",
  ),
  result: reserved("Labels for what the tool returns."),
  sinks: reserved("Where it goes or what it hits, and the least origin it needs."),
  text: reserved("Arguments that hold free text."),
  bind: optional(
    map("path", expression),
    "Arguments that the host decides: path → CEL over `context`, `principal`, `agent`, `env`, `run.id`. Replaces what the model wrote.",
  ),
  units: optional(
    map("leaf", expression),
    "What its arguments count, for whoever is shown them: path → a unit such as `usd_cents`, or CEL that gives one such as `args.currency + '_cents'`. Where a budget sums a plain argument, its `unit` says it already.",
  ),
  touches: reserved("Records that a call makes stale."),
  stores: reserved("Writer and reader of the same store."),
  unwrap: reserved("The tool and the arguments inside a meta-tool's call."),
});

const expectation = either(
  words("allow", "deny", "pause"),
  object({
    then: required(words("allow", "deny", "pause"), "The verdict."),
    by: optional(list(name("any")), "All ids that have the final verdict."),
    args: optional(json, "The arguments that would run: bound and changed."),
    origin: reserved("Where arguments came from."),
  }),
);

const testCall = object({
  tool: required(name("tool"), "The tool."),
  args: optional(json, "Its arguments. Absent: none."),
});

const testStep = object({
  call: required(testCall, "The proposed call."),
  expect: required(expectation, "A verdict, or a verdict with the ids that must have it."),
  result: optional(json, "What the tool returned: the call ran, where it is not denied. Absent: it is judged only."),
});

const principal = object({
  id: required(name("any"), "Who."),
  kind: optional(words("person", "service", "none"), "Absent: `person`."),
  roles: optional(list(name("any")), "Absent: none."),
  labels: optional(json, "Own facts about them: a map of texts."),
});

const test = object({
  name: required(text, "What it shows."),
  env: optional(name("name"), "The environment. Absent: the only declared one."),
  agent: optional(name("any"), "The agent. Absent: `agent`."),
  now: optional(time, "The moment, RFC 3339. Absent: 2000-01-01T00:00:00Z."),
  principal: optional(principal, "On whose behalf. Absent: nobody."),
  context: optional(json, "What the application states."),
  call: optional(testCall, "The proposed call, where the test has one step."),
  expect: optional(expectation, "A verdict, or a verdict with the ids that must have it, where the test has one step."),
  run: optional(list(testStep), "Several steps, each judged."),
  prompt: reserved("The person's own words."),
  facts: reserved("Facts handed over by the host."),
  records: reserved("Records handed over by the host."),
  result: reserved("What the tool returned."),
});

/** A policy file. */
export const POLICY_FORMAT = object({
  saferun: required(words("policy/v1"), "The format of this file."),
  name: optional(text, "A title; decides nothing."),
  environments: optional(
    map("name", environment),
    "Where agents run. Each declared once over all files, at least one.",
  ),
  routes: optional(map("name", route), "Who is asked. `default` is used where a rule names none."),
  context: optional(
    map("word", words(...CONTEXT_TYPES)),
    "What the application states about a run, as `context.NAME`.",
  ),
  let: optional(map("word", json), "Named constants for conditions."),
  define: optional(map("word", expression), "Named expressions for conditions."),
  tools: optional(map("glob", tool), "What the tools are: names or globs."),
  rules: optional(list(rule), "The rules; their order never matters."),
  budgets: optional(list(budget), "Limits on what calls add up to over time."),
  breakers: optional(
    some(breakers),
    "What loops and runaways are, and what happens then: one entry, or one for each scope.",
  ),
  tests: optional(list(test), "Calls with the expected verdict."),
  records: reserved("Typed data read in a run."),
  facts: reserved("Values a person vouches for."),
  flows: reserved("Expected hand-overs from one tool to another."),
});

export type PolicyFile = Infer<typeof POLICY_FORMAT>;
export type RuleSource = Infer<typeof rule>;
export type ChangeSource = Infer<typeof change>;
export type ToolSource = Infer<typeof tool>;
export type RouteSource = Infer<typeof route>;
export type TestSource = Infer<typeof test>;
