/** What a client sends to decide an approval. Nothing in it is guessed: an unknown key is an error. */
import {
  type ApprovalRecord,
  chosenGrant,
  type DecisionRequest,
  type GrantChoice,
  type GrantMistake,
  type Json,
  type JsonObject,
  type Mistake,
  readGrantChoice,
  typedArguments,
} from "@saferun/core";

export interface DecisionBody extends Pick<DecisionRequest, "verdict" | "note" | "args"> {
  readonly version: number;
  /** A form's fields as they were typed or chosen, by path; instead of `args`. */
  readonly fields?: ReadonlyMap<string, string | readonly string[]>;
  readonly grant?: GrantChoice;
}

const KEYS = ["verdict", "version", "args", "fields", "grant", "note"];
const NOTE_LENGTH = 2_000;

export function readDecision(body: Json): DecisionBody | { readonly problem: string } {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return { problem: "the body must be an object" };
  const map = body as JsonObject;
  const unknown = Object.keys(map).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return { problem: `an unknown key; known are ${KEYS.join(", ")}` };
  const { verdict, version, args, fields, grant, note } = map;
  if (verdict !== "approve" && verdict !== "deny") return { problem: "`verdict` must be `approve` or `deny`" };
  if (typeof version !== "number" || !Number.isSafeInteger(version)) {
    return { problem: "`version` must be the version of the approval that was shown" };
  }
  if (note !== undefined && (typeof note !== "string" || note.length > NOTE_LENGTH)) {
    return { problem: `\`note\` must be a text of at most ${NOTE_LENGTH} characters` };
  }
  if (verdict === "deny" && [args, fields, grant].some((one) => one !== undefined))
    return { problem: "`args`, `fields` and `grant` stand beside `approve` only" };
  if (args !== undefined && fields !== undefined) return { problem: "give `args` or `fields`, not both" };
  const typed = fields === undefined ? undefined : readFields(fields);
  if (typed === null) return { problem: "`fields` must be an object of texts and lists of texts" };
  const choice = grant === undefined ? undefined : readGrantChoice(grant);
  if (choice === null)
    return { problem: "`grant` must be an object of `for`, `count` and, where it is counted, `most`" };
  return {
    ...{ verdict, version },
    ...(args === undefined ? {} : { args }),
    ...(typed === undefined ? {} : { fields: typed }),
    ...(choice === undefined ? {} : { grant: choice }),
    ...(note === undefined ? {} : { note }),
  };
}

export interface Misfits {
  readonly fields: readonly Mistake[];
  readonly grant: readonly GrantMistake[];
}

/** The body as an answer to this approval, or what in its form does not fit. */
export function requestOf(
  approval: ApprovalRecord,
  { fields, grant, ...rest }: DecisionBody,
): { readonly request: Omit<DecisionRequest, "by"> } | Misfits {
  const typed = fields === undefined ? undefined : typedArguments(approval, fields);
  const chosen = grant === undefined ? undefined : chosenGrant(approval, grant);
  const misfits = {
    fields: typed !== undefined && "mistakes" in typed ? typed.mistakes : [],
    grant: chosen !== undefined && "mistakes" in chosen ? chosen.mistakes : [],
  };
  if (misfits.fields.length + misfits.grant.length > 0) return misfits;
  const args = typed !== undefined && "args" in typed ? { args: typed.args } : {};
  const terms = chosen !== undefined && "grant" in chosen ? { grant: chosen.grant } : {};
  return { request: { ...rest, ...args, ...terms, approval: approval.id } };
}

function readFields(value: Json): ReadonlyMap<string, string | readonly string[]> | null {
  if (!isMap(value)) return null;
  const fields = Object.entries(value).flatMap(([path, text]): [string, string | readonly string[]][] => {
    if (typeof text === "string") return [[path, text]];
    return isTexts(text) ? [[path, text]] : [];
  });
  return fields.length === Object.keys(value).length ? new Map(fields) : null;
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isMap(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
