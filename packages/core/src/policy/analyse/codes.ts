/** The closed list of what the analysis finds; `docs/analysis.md` has one section for each. */
export const ANALYSIS_CODES = {
  "any-attempt": "A rule takes calls that were denied or failed for calls that were made.",
  "blind-sink": "An allow rule asks where a call goes, and another argument of the tool says so too, unasked.",
  "clamp-optional": "A rule clamps an argument, and denies calls that leave it out.",
  conflict: "Two rules of the same scope contradict each other on calls that both seem to be made for.",
  "empty-list": "An allow rule asks something of all items of a list, which is true of an empty list.",
  "float-equality": "A condition compares a fraction with `==`, `!=` or `in`.",
  "free-deny": "A deny rests on a text that the model is free to write otherwise.",
  "free-key": "A budget has a pot for each value of an argument that the model chooses.",
  "float-money": "A condition bounds money that the schema calls a `number`.",
  "mixed-currency": "A condition adds or compares amounts of two currencies.",
  "narrow-deny": "A deny rule guards only a part of the tools, agents or principals that an allow rule lets through.",
  "other-unit": "A budget adds an argument in another unit than the tool says it is of.",
  "pause-alone": "A pause rule has a condition, and no rule permits the calls that it lets pass.",
  "prefix-match": "An allow rule rests on the beginning or a pattern of a shell command, a SQL text or an address.",
  redundant: "A rule changes no verdict, because other rules say the same wherever it speaks.",
  shadowed: "A rule never decides, because stricter rules match wherever it does.",
  "split-routes": "Two pause rules ask about one call, and no role may answer for both.",
  "suffix-match": "A condition rests on the end, a part or a pattern of a host name or mail address.",
  "switched-off": "A deny or pause rule does not match when an argument is simply left out.",
  unbounded: "An allow rule has no lower bound on a number.",
  "unruled-tool": "No rule speaks of a declared tool, so that it never runs.",
  unreachable: "The condition or the scope of a rule can never be met.",
  "wider-than-budget": "An allow rule states a bound above what a whole budget holds.",
  "wide-scope": "A rule over several tools reads an argument that some of them lack.",
} as const;

export type AnalysisCode = keyof typeof ANALYSIS_CODES;
