/** The part of the policy format that limits what calls add up to: what the breakers may know of a tool, budgets, detectors. */
import { LOOP_DEFAULTS, type Reaction } from "../../detectors.ts";
import {
  amount,
  duration,
  either,
  expression,
  type Field,
  type Infer,
  integer,
  list,
  map,
  name,
  object,
  optional,
  required,
  some,
  text,
  words,
} from "../shape.ts";

/** Keys of a `tools:` entry. */
export const TRAIT_FIELDS = {
  identity: optional(
    list(name("leaf")),
    "Arguments that make two calls the same business act. Absent: no two calls are known to be the same.",
  ),
  volatile: optional(
    list(name("leaf")),
    "Arguments that change without meaning anything, such as nonces: loop detection ignores them.",
  ),
  progress: optional(
    name("leaf"),
    "What counts as new in a result, such as `$.cursor`. Absent: the whole result, without times and ids.",
  ),
  poll: optional(
    object({
      every: required(duration, "Asked sooner, it counts as a repetition."),
      for: required(duration, "Asked for longer, it counts as a repetition."),
    }),
    "Asking the same again is how this tool is used.",
  ),
  paginate: optional(name("leaf"), "The argument that turns the page: asked often, it is no loop."),
  recipients: optional(
    list(name("leaf")),
    "Arguments that hold whom a call reaches, such as `to[]`: `rate` and `novelty` count them.",
  ),
} as const;

const SCOPE = {
  agent: optional(some(name("glob")), "Agents it applies to: names or globs. Absent: all."),
  env: optional(some(name("name")), "Environments it applies to. Absent: all."),
} as const;

const window = either(
  words("run", "ever"),
  object({
    calendar: optional(words("hour", "day", "week", "month"), "The present one on the clock of `zone`."),
    zone: optional(text, "With `calendar`: a time zone such as `Europe/Zurich` or `UTC`."),
    sliding: optional(duration, "The time before each call, such as `24h`."),
  }),
);

export const budget = object({
  id: required(name("rule"), "Unique over the budgets of all files; `budget:ID` in decisions."),
  tool: optional(some(name("glob")), "Tools whose calls it counts: names or globs, `*` matches any characters."),
  kind: optional(some(words("read", "write", "destructive", "none")), "Kinds of tools whose calls it counts."),
  label: optional(some(name("any")), "Labels of tools whose calls it counts, from `tools`."),
  model: optional(
    some(name("glob")),
    "Instead of tools: models whose calls it counts, by name or glob, with or without their provider: `gpt-5*`, `openai:*`.",
  ),
  ...SCOPE,
  principal: optional(some(name("any")), "On whose behalf: an id, or `role:NAME`. Absent: all."),
  when: optional(expression, "Which calls it counts, in CEL over the arguments as they would run. Absent: all."),
  sum: optional(
    either(expression, map("tool", expression)),
    "What a call adds, in CEL: a whole number or an exact decimal, at least 0. A map says it for each tool. Absent: 1.",
  ),
  unit: required(
    expression,
    "A word such as `usd_cents`, `emails`, `rows`, or CEL that gives one such as `args.currency + '_cents'`: one pot for each.",
  ),
  per: required(
    object({
      key: optional(list(expression), "One pot for each combination of these values, in CEL. Absent: one pot."),
      window: required(window, "When the pot is full again: `run`, `ever`, a calendar, or a sliding time."),
    }),
    "What has a pot of its own. Each environment has one in any case.",
  ),
  limit: required(amount, 'The most that a pot holds: a whole number, or a decimal in quotes such as `"5.00"`.'),
  over: optional(
    words("pause", "deny"),
    "What happens to a call that does not fit; with `model` nobody can be asked, and `pause` denies. Absent: `deny`.",
  ),
  settle: optional(
    name("result"),
    "Where the result says what was really used, such as `result.sent`. Absent, or not there: what `sum` said.",
  ),
  unpriced: optional(
    words("deny", "pause", "allow"),
    "With `model`: what happens where no price or bound is known; it never counts as nothing. Absent: `deny`.",
  ),
  reason: optional(text, "Told to the agent and to the approver when a call does not fit."),
  fix: optional(text, "Told to the agent: what to do instead."),
});

const reaction = words("annotate", "pause", "deny", "trip_run", "trip_agent");

function detector<const F extends Readonly<Record<string, Field>>>(doc: string, over: Reaction, fields: F) {
  return optional(
    object({
      mode: optional(
        words("observe", "enforce"),
        "`observe`: found and recorded, nothing is stopped. Absent: `enforce`.",
      ),
      over: optional(reaction, `What happens then. Absent: \`${over}\`.`),
      ...fields,
    }),
    doc,
  );
}

/** What a run remembers bounds what its detectors can see: a setting beyond could never fire. */
const CALLS = integer(2, 32);

export const DETECTOR_FIELDS = {
  repeat: detector("The same call with the same result.", LOOP_DEFAULTS.repeat.over, {
    same: optional(CALLS, "So often. Absent: `3`."),
    writes: optional(integer(1, 32), "So often, for tools that write. Absent: `2`."),
    last: optional(CALLS, "Among so many calls. Absent: `12`."),
  }),
  cycle: detector(
    "A round of several calls whose results are all the same as the round before.",
    LOOP_DEFAULTS.cycle.over,
    {
      longest: optional(integer(2, 16), "Calls of the longest round that is looked for. Absent: `6`."),
      rounds: optional(integer(2, 16), "So many rounds. Absent: `3`."),
    },
  ),
  similar: detector("The same call in a row, with results that hardly differ.", LOOP_DEFAULTS.similar.over, {
    alike: optional(CALLS, "So often. Absent: `4`."),
    slots: optional(integer(1, 16), "Sixteenths of a result that must be equal. Absent: `8`."),
    progress: optional(CALLS, "So often without the `progress` that the tool declares. Absent: `3`."),
  }),
  errors: detector("One tool that fails in one way since its last success.", LOOP_DEFAULTS.errors.over, {
    streak: optional(integer(1, 32), "So often. Absent: `5`."),
    trip: optional(integer(1, 32), "So often stops the run. Absent: `8`."),
  }),
  varied: detector("The same answer of a reading tool to different calls.", LOOP_DEFAULTS.varied.over, {
    questions: optional(CALLS, "So many calls. Absent: `5`."),
    last: optional(CALLS, "Among so many. Absent: `20`."),
  }),
  raw: detector("The same call, whatever comes back; not of tools with `poll` or `paginate`.", LOOP_DEFAULTS.raw.over, {
    calls: optional(integer(1, 1_000_000), "So often in a run. Absent: `25`."),
  }),
  denials: detector("Calls that were denied.", LOOP_DEFAULTS.denials.over, {
    most: optional(integer(1, 64), "So many within `within`. Absent: `5`."),
    within: optional(duration, "Absent: `1m`."),
    same_rule: optional(integer(1, 64), "So many by one rule. Absent: `3`."),
  }),
  rate: detector("Calls of one agent to one tool.", LOOP_DEFAULTS.rate.over, {
    calls: optional(integer(1, 10_000), "More than so many within `within`. Absent: `1000`."),
    recipient: optional(integer(1, 10_000), "More than so many that write, to one of `recipients`. Absent: `5`."),
    within: optional(duration, "Absent: `1m`."),
  }),
  novelty: detector("Recipients that the agent never wrote to before.", LOOP_DEFAULTS.novelty.over, {
    recipients: optional(integer(1, 2_000), "More than so many within `within`. Absent: `20`."),
    within: optional(duration, "Absent: `1h`."),
  }),
  duplicate: detector(
    "The business act, by `identity`, was done before: in the run, or by the agent within 24 hours.",
    LOOP_DEFAULTS.duplicate.over,
    {},
  ),
  caps: detector(
    "What one run with its sub-agents may use up: asks at 80 %, stops the run at 100 %.",
    LOOP_DEFAULTS.caps.over,
    {
      calls: optional(integer(1, 1_000_000), "Absent: `200`."),
      minutes: optional(integer(1, 527_040), "Absent: `60`."),
      usd: optional(
        amount,
        'For models. Named here, it is held before each call, and never overspent. Absent: `"5.00"`, which stops a run that has spent it.',
      ),
      depth: optional(integer(0, 1_000), "How deep sub-agents may start sub-agents. Absent: `5`."),
    },
  ),
  trips: detector("Runs of one agent that were stopped.", LOOP_DEFAULTS.trips.over, {
    most: optional(integer(1, 32), "So many within `within` stop the agent. Absent: `3`."),
    within: optional(duration, "Absent: `10m`."),
  }),
} as const;

export const breakers = object({
  ...SCOPE,
  tool: optional(some(name("glob")), "Tools whose calls these settings are for: names or globs. Absent: all."),
  ...DETECTOR_FIELDS,
});

export type BudgetSource = Infer<typeof budget>;
export type BreakersSource = Infer<typeof breakers>;
