/** What a caller gets instead of a result when the gate did not let a call run, and how a model is told what ran instead. */
import type { Denial, JsonObject, Permit } from "@saferun/core";

/**
 * The value that a gated tool returns when it did not run. Plain JSON, so that it survives a message history.
 *
 * @example
 * const refund = saferun.wrap(async function refund(args: { amount: number }) { … }, { policies });
 * const result = await refund({ amount: 4500 });
 * if (isDenied(result)) console.log(result.rules, result.reason, result.fix);
 */
export interface DeniedCall extends Denial {
  readonly denied: true;
  /** The same in one text, as the model reads it. */
  readonly message: string;
}

/** True for the value that a gated tool returns when it did not run. */
export function isDenied(value: unknown): value is DeniedCall {
  if (typeof value !== "object" || value === null) return false;
  const { denied, callId, rules, reason } = value as Partial<Record<keyof DeniedCall, unknown>>;
  return denied === true && typeof callId === "string" && Array.isArray(rules) && typeof reason === "string";
}

export function deniedCall(denial: Denial): DeniedCall {
  return Object.freeze({ denied: true, ...denial, message: denialText(denial) });
}

/** Third person, and never "try again": a denial that invites a retry makes a loop. */
function denialText({ tool, status, rules, reason, fix, retry }: Denial): string {
  const by = rules.map((rule) => `\`${rule}\``).join(", ");
  const what = status === "pending" ? "waits for an approval" : "did not run";
  const instead = fix === undefined ? "" : ` Instead: ${sentence(fix)}`;
  const again = retry ? "" : " Do not make this call again with the same arguments.";
  return `The call of \`${tool}\` ${what} (${status}, ${by}): ${sentence(reason)}${instead}${again}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What stands beside the result of a call whose arguments were changed, or about which a detector has something to say. */
export interface EditNote {
  /** By a person who approved it. */
  readonly edited: boolean;
  /** By the policies. */
  readonly changed: boolean;
  /** The arguments that the tool ran with, without what the host decides. */
  readonly ran: JsonObject;
  readonly message: string;
}

/**
 * A result that says what ran: objects get a field `saferun`, text gets a line, everything else is put beside the note.
 * A field of that name which the tool returned itself is replaced: the note is the gate's word.
 */
export function withEditNote(result: unknown, permit: Noted): unknown {
  const note = editNote(permit);
  if (typeof result === "string") return `${result}\n\n${note.message}`;
  if (isPlainObject(result)) return { ...result, saferun: note };
  return { result: result ?? null, saferun: note };
}

/** The note of a result that `withEditNote` made, if there is one. */
export function editNoteOf(result: unknown): EditNote | undefined {
  if (!isPlainObject(result) || !Object.hasOwn(result, "saferun")) return undefined;
  return isEditNote(result.saferun) ? result.saferun : undefined;
}

function isEditNote(value: unknown): value is EditNote {
  if (!isPlainObject(value) || typeof value.message !== "string") return false;
  return typeof value.edited === "boolean" && typeof value.changed === "boolean";
}

function editNote({ edited, changed, notes, told: ran }: Noted): EditNote {
  const who = edited && changed ? "The policies and a person" : edited ? "A person" : "The policies";
  const change = `${who} changed the arguments of this call before it ran. It ran with ${JSON.stringify(ran)}.`;
  const message = [...(edited || changed ? [change] : []), ...notes].join(" ");
  return { edited, changed, ran, message };
}

type Noted = Pick<Permit, "edited" | "changed" | "told" | "notes">;

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
