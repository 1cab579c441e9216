/** What a verification came to, and what it does not show. */
import { Link } from "@tanstack/react-router";
import { Badge } from "../../../ui/badge.tsx";
import { UntrustedLines } from "../../../ui/text.tsx";
import type { VerifyResult } from "./messages.ts";

interface ResultProps {
  readonly result: VerifyResult;
  readonly pinned: string;
}

export function Result({ result, pinned }: ResultProps) {
  const { entries, signedUpTo, signedAt, unsigned, archivedTo } = result;
  return (
    <section aria-label="Result" aria-live="polite" className="space-y-2 rounded-md border border-line px-4 py-3">
      <Status result={result} pinned={pinned} />
      {result.status === "faulty" || signedUpTo === 0 ? null : (
        <p>
          Signed up to entry {(signedUpTo - 1).toLocaleString()}
          {signedAt === null ? "" : `, ${new Date(signedAt).toLocaleString()}`}
          {unsigned === 0
            ? "."
            : `; ${unsigned.toLocaleString()} behind it ${unsigned === 1 ? "is" : "are"} not signed yet.`}
        </p>
      )}
      {archivedTo === 0 ? null : (
        <p className="text-muted">
          The first {archivedTo.toLocaleString()} of {entries.toLocaleString()} entries lie in archives:{" "}
          <code className="font-mono">saferun log verify --archive</code> looks at them.
        </p>
      )}
      <p className="text-sm text-muted">
        What nobody can see from here: that entries were cut off the end, or written anew by whoever holds the key,
        since a checkpoint was last kept elsewhere. <code className="font-mono">saferun log verify --anchor</code> can.
      </p>
    </section>
  );
}

const MOST = 50;

function Status({ result, pinned }: ResultProps) {
  const { status, entries, faults, claimed } = result;
  if (status === "faulty") {
    return (
      <>
        <p className="text-lg font-semibold">
          <Badge tone="deny">faulty</Badge> {faults.length} {faults.length === 1 ? "fault" : "faults"} in{" "}
          {entries.toLocaleString()} entries
        </p>
        <ul aria-label="Faults" className="divide-y divide-line">
          {faults.slice(0, MOST).map(({ seq, fault, where, message }) => (
            <li key={`${seq} ${fault} ${where} ${message}`} className="py-1.5">
              <Link to="/log" search={{ entry: seq }} className="text-accent underline underline-offset-2">
                entry {seq.toLocaleString()}
              </Link>{" "}
              <strong>{fault}</strong> (<UntrustedLines>{where}</UntrustedLines>):{" "}
              <UntrustedLines>{message}</UntrustedLines>
            </li>
          ))}
        </ul>
        {faults.length > MOST ? <p>and {faults.length - MOST} more</p> : null}
      </>
    );
  }
  if (status === "verified") {
    return (
      <p className="text-lg font-semibold">
        <Badge tone="allow">verified</Badge> by the key that you kept, no fault in {entries.toLocaleString()} entries
      </p>
    );
  }
  if (pinned !== "") {
    return (
      <p className="text-lg font-semibold">
        <Badge tone="deny">not verified</Badge> nothing in this log is signed by the key given
      </p>
    );
  }
  return (
    <>
      <p className="text-lg font-semibold">
        <Badge tone="pause">self-consistent</Badge> signer not proven; no fault in {entries.toLocaleString()} entries
      </p>
      <p>
        Whoever can write the store could have written all of it.{" "}
        {claimed === null
          ? "The log names no key."
          : "To prove the signer next time, keep the key that the log names somewhere else, and compare it with the one that was printed when this log began:"}
      </p>
      {claimed === null ? null : <p className="rounded bg-sunken px-3 py-2 font-mono text-sm break-all">{claimed}</p>}
    </>
  );
}
