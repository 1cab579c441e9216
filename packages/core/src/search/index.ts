export { AgentNames, agentMeant, agentNameIn, type NamedRun, withAgentIds } from "./agents.ts";
export { type Completion, type CompletionOption, completeQuery, type KnownNames } from "./complete.ts";
export {
  argumentsIn,
  contentOf,
  idsOf,
  isOff,
  namesOf,
  type SearchScope,
  textsIn,
  valuesAt,
} from "./content.ts";
export { itemsOf, matches, passes, readableHeader, type SearchItem } from "./match.ts";
export { parseQuery } from "./parse.ts";
export {
  type ArgumentPath,
  type ArgumentTest,
  fits,
  holds,
  type IdField,
  type NameField,
  type NumberTest,
  type Pattern,
  parseArgumentPath,
  type Query,
} from "./query.ts";
export { searchableParts, UNSEARCHED_PART } from "./unsearched.ts";
export { wordsOf } from "./words.ts";
