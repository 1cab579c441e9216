/** `saferun log verify BUNDLE`: the evidence of a run, checked offline. */
import { type BundleCheck, verifyBundle } from "@saferun/core";
import { nodeHash, nodeVerifier } from "@saferun/store";
import { printJson } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";

export function checkBundle(
  io: Io,
  text: string,
  { json, pin }: { readonly json?: boolean; readonly pin?: string },
): ExitCode {
  const check = verifyBundle(text, { hash: nodeHash, verifier: nodeVerifier }, pin);
  if (json) printJson(io, check);
  else io.print(linesOf(check, io).join("\n"));
  return check.status === "faulty" ? EXIT.found : EXIT.fine;
}

function linesOf({ status, run, log, entries, erased, key, size, faults }: BundleCheck, io: Io): string[] {
  const { good, bad, wait, dim } = io.style;
  const faulty = faults.map(
    ({ seq, fault, where, message }) => `  entry ${seq}: ${bad(fault)} (${printable(where)}): ${printable(message)}`,
  );
  const what = `entries 0 to ${entries - 1} of run ${printable(run ?? "?")} in log ${printable(log ?? "?")}`;
  const gone = erased === 0 ? [] : [dim(`${erased} parts have no content here: erased, or taken out of this file`)];
  const after = dim("whether the run went on after them, only the log can show");
  switch (status) {
    case "verified":
      return [
        `${good("verified")}: ${what} stand in the log of ${size} entries that your key has signed`,
        ...gone,
        after,
      ];
    case "self-consistent":
      return [
        `${wait("self-consistent, signer not proven")}: ${what}`,
        `  it names the key ${printable(key ?? "none")}; give the one that you kept elsewhere with --pin`,
        ...gone,
        after,
      ];
    case "faulty":
      return [`${bad("faulty")}: ${faults.length} ${faults.length === 1 ? "fault" : "faults"}`, ...faulty];
  }
}
