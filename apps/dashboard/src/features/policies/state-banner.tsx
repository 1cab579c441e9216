/** What the log says is in force, and why the last change was not taken: files can say one thing and gates another. */
import type { Json } from "@saferun/core";
import { mapOf } from "../../api/json.ts";
import { JsonTree } from "../../ui/json-tree.tsx";
import { Untrusted, UntrustedLines } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import type { Policies } from "./read.ts";

export function StateBanner({ policies: { state, revision } }: { readonly policies: Policies }) {
  if (state === null) {
    return (
      <p className="mb-4 text-muted">No gate has taken these policies yet: the first call names what is in force.</p>
    );
  }
  const inForce = state.revision.slice(0, 12);
  if (state.state === "rejected") {
    return (
      <section aria-label="Rejected" className="mb-4 rounded-card border border-deny bg-deny-soft px-5 py-4">
        <h2 className="font-semibold text-deny">The last change was not taken</h2>
        <p className="mt-1">
          <Time at={state.at} /> a gate read the files and went on with revision{" "}
          <code className="font-mono">{inForce}</code>.
        </p>
        <Why issues={state.issues as Json} />
      </section>
    );
  }
  if (state.files === revision) {
    return (
      <p className="mb-4 text-muted">
        In force: revision <code className="font-mono text-ink">{inForce}</code> since <Time at={state.at} />
        {state.files === state.revision
          ? "."
          : ": these files, with the argument schemas that the agent's own tools state."}
      </p>
    );
  }
  return (
    <p className="mb-4 rounded-md bg-pause-soft px-4 py-2.5">
      The files on disk are revision <code className="font-mono">{revision?.slice(0, 12) ?? "(they do not load)"}</code>
      ; the log names <code className="font-mono">{state.files.slice(0, 12)}</code> as the last one that a gate used. A
      running gate takes the files within a second, and the log names them with its next call.
    </p>
  );
}

function Why({ issues }: { readonly issues: Json }) {
  const list = Array.isArray(issues) ? issues : [issues];
  return (
    <ul className="mt-2 space-y-1">
      {list.map((issue) => {
        const { code, message } = mapOf(issue);
        return (
          <li key={JSON.stringify(issue)}>
            {typeof message !== "string" ? <JsonTree value={issue} /> : <UntrustedLines>{message}</UntrustedLines>}{" "}
            {typeof code === "string" ? (
              <code className="text-sm">
                <Untrusted>{code}</Untrusted>
              </code>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}
