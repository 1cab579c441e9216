/** Which process an opening of the store belongs to, and whether that process is surely gone. */
import { readFileSync, readlinkSync } from "node:fs";

/** Enough to recognise one process: pids are used again, also across boots and containers. */
export interface ProcessIdentity {
  readonly boot: string;
  /** The pid namespace; two containers have each a process 1. */
  readonly namespace: string;
  readonly pid: number;
  /** Start of the process in ticks since boot; empty where the system does not tell. */
  readonly started: string;
}

export function thisProcess(): ProcessIdentity {
  const { pid } = process;
  return { boot: bootId(), namespace: namespaceId(), pid, started: startOf(pid) ?? "" };
}

/** True only when it cannot be alive any more; anything uncertain is false. */
export function isGone(identity: ProcessIdentity): boolean {
  if (identity.boot === "" || bootId() === "") return identity.boot === bootId() && !answers(identity.pid);
  // The store lies on a local file system: another boot is an earlier one of this machine.
  if (identity.boot !== bootId()) return true;
  if (identity.namespace !== namespaceId()) return false;
  const started = startOf(identity.pid);
  return started === undefined ? !answers(identity.pid) : identity.started !== "" && started !== identity.started;
}

function bootId(): string {
  return read("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function namespaceId(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** Field 22 of `/proc/PID/stat`; the name in field 2 may hold anything, so fields count from its last parenthesis. */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie still has a number but runs no code.
  return fields?.[0] === "Z" || fields?.[0] === "X" ? "gone" : fields?.[19];
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
