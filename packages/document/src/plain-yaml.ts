/** YAML that is no policy, such as an API description: read as YAML is read everywhere, within bounds. */
import { LIMITS } from "@saferun/core";
import { parse } from "yaml";

/** Aliases that a text may use; each can stand for a large piece. */
const MOST_ALIASES = 100;

/** Plain data of one YAML or JSON document. @throws Error with a message in words where the text is none. */
export function parsePlainYaml(text: string): unknown {
  if (text.length > LIMITS.partBytes) throw new Error(`it is longer than ${LIMITS.partBytes} characters`);
  return parse(text, { maxAliasCount: MOST_ALIASES, logLevel: "error" });
}
