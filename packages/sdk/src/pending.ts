/**
 * A call that was answered `pending` is found again: by the same call of the same run, and by the framework that takes it
 * up from a message history, in whichever process. Only where it is found, never whether it may run: that is said by the
 * call's own row and its approval's (traps.md, 14).
 */
import { canonicalJson, type Denial, JsonProblem, type Run, type StateRow, type Store, toHex } from "@saferun/core";
import type { Binding, ToolRequest } from "./binding.ts";
import type { Frame } from "./frame.ts";

/** The names that the gate's store knows a waiting call by. */
export interface Pending {
  readonly run: string;
  readonly key: string;
}

const encoder = new TextEncoder();

/** The same call, made again in the same run in the same name. Undefined for arguments that no call can have. */
export function againId(binding: Binding, run: Run, { tool, args }: ToolRequest): string | undefined {
  const { id, agent, environment, principal } = run;
  try {
    return `again/${digest(binding, [id, agent, environment, principal.id, tool, canonicalJson(args)])}`;
  } catch (error) {
    if (error instanceof JsonProblem) return undefined;
    throw error;
  }
}

/** The same call of a message history, for the same agent, environment and principal. */
export function resumeId(binding: Binding, frame: Frame, toolCallId: string): string {
  const { facts } = frame.scope;
  const agent = binding.agent ?? frame.agent ?? facts.agent ?? "agent";
  return `resume/${digest(binding, [agent, binding.environment, facts.principal.id, toolCallId])}`;
}

/** Undefined: nothing that still waits, or that may be used, is known by this id. */
export async function findPending(store: Store, id: string): Promise<Pending | undefined> {
  const known = pendingOf(await store.row("pending", id));
  const call = known === undefined ? undefined : await store.callByKey(known.run, known.key);
  return call?.state === "pending" || call?.state === "approved" ? known : undefined;
}

/** Also a call that is over: so that whoever takes it up again is told how it ended, and it does not run twice. */
export async function findTaken(store: Store, id: string): Promise<Pending | undefined> {
  return pendingOf(await store.row("pending", id));
}

/** @throws SafeRunError when the store cannot record it: then the caller is not told to ask again. */
export async function rememberPending(store: Store, ids: readonly string[], pending: Pending): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const writes = await Promise.all(
      ids.map(async (id) => {
        const before = await store.row("pending", id);
        const row: StateRow = {
          kind: "pending",
          id,
          version: (before?.version ?? 0) + 1,
          due: null,
          value: { ...pending },
        };
        return { row, expect: before?.version ?? null };
      }),
    );
    if ((await store.commit({ rows: writes, entries: [] })).ok) return;
  }
}

const TRIES = 5;

export function isPending(denial: Denial): boolean {
  return denial.status === "pending";
}

function pendingOf(row: StateRow | undefined): Pending | undefined {
  const value = row?.value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { run, key } = value as { readonly run?: unknown; readonly key?: unknown };
  return typeof run === "string" && typeof key === "string" ? { run, key } : undefined;
}

function digest({ hash }: Binding, parts: readonly string[]): string {
  return toHex(hash.sha256(encoder.encode(`saferun/pending/v1\0${JSON.stringify(parts)}`))).slice(0, 32);
}
