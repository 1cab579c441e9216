/**
 * What the gate said when a framework asked whether a person has to be asked, kept for the execution that follows. A permit
 * that is never executed is settled as failed: its tool was surely not contacted.
 */
import { type Admission, canonicalJson, JsonProblem } from "@saferun/core";
import type { ToolRequest } from "./binding.ts";
import type { Frame } from "./frame.ts";

export interface Admitted {
  readonly frame: Frame;
  readonly admission: Admission;
}

/** Well within the lease of a claim. */
const UNUSED_MS = 60_000;

/** By the call of an agent, or the binding, that both come from. */
const held = new WeakMap<object, Map<string, Admitted[]>>();

export function hold(within: object, request: ToolRequest, admitted: Admitted): void {
  const key = keyOf(request);
  if (key === undefined) return;
  const entries = held.get(within) ?? new Map<string, Admitted[]>();
  held.set(within, entries);
  const same = entries.get(key) ?? [];
  entries.set(key, [...same, admitted]);
  const { admission } = admitted;
  const settleUnused = (): void => {
    if (takeOne(entries, key, admitted) && admission.admitted)
      admission.permit.settle("failed", "the framework did not execute the call").catch(() => undefined);
  };
  setTimeout(settleUnused, UNUSED_MS).unref();
}

export function takeHeld(within: object, request: ToolRequest): Admitted | undefined {
  const entries = held.get(within);
  const key = entries === undefined ? undefined : keyOf(request);
  if (entries === undefined || key === undefined) return undefined;
  const [first] = entries.get(key) ?? [];
  return first !== undefined && takeOne(entries, key, first) ? first : undefined;
}

function takeOne(entries: Map<string, Admitted[]>, key: string, one: Admitted): boolean {
  const same = entries.get(key) ?? [];
  const rest = same.filter((other) => other !== one);
  if (rest.length === 0) entries.delete(key);
  else entries.set(key, rest);
  return rest.length < same.length;
}

/** The same call with the same arguments; undefined for arguments that no call can have. */
function keyOf({ tool, args, toolCallId }: ToolRequest): string | undefined {
  try {
    return JSON.stringify([toolCallId ?? null, tool, canonicalJson(args)]);
  } catch (error) {
    if (error instanceof JsonProblem) return undefined;
    throw error;
  }
}
