/** Proposed → changed by the policies → approved by a person → ran, each with what it changed. */
import { type AmountsIn, type ArgumentUnits, changedPaths, recordedAmounts } from "@saferun/core";
import { Difference } from "../../../ui/difference.tsx";
import { Untrusted } from "../../../ui/text.tsx";
import { ContentView, shownOf } from "../content.tsx";
import type { CallStep, EventStep, Held, Recorded } from "../tree.ts";
import { Part } from "./part.tsx";

export function ArgumentsTab({ held: { step, settings, units } }: { readonly held: Held }) {
  if (step.kind === "call") return <CallArguments step={step} units={units} />;
  if (step.kind === "model") {
    return (
      <Part title="Settings of the question">
        <ContentView content={settings} />
      </Part>
    );
  }
  return <EventParts step={step} />;
}

export function EventParts({ step }: { readonly step: EventStep }) {
  if (step.parts.length === 0) return <p className="text-muted">The entry says no more than its name.</p>;
  return step.parts.map(({ name, content }) => (
    <Part key={name} title={<Untrusted>{name}</Untrusted>}>
      <ContentView content={content} />
    </Part>
  ));
}

function CallArguments({ step, units }: { readonly step: CallStep; readonly units: ArgumentUnits }) {
  const { proposed, changed, approved, ran } = step.arguments;
  const approver = step.approvals.findLast(({ state }) => state === "approved")?.answers.at(-1)?.by ?? null;
  const edited = approved !== null && isOther(changed ?? proposed, approved);
  const amountsIn = recordedAmounts(units, shownOf(changed ?? proposed));
  return (
    <>
      <Part title="As the agent proposed them">
        <ContentView content={proposed} amountsIn={amountsIn} />
      </Part>
      {changed === null ? null : (
        <Part title="As the policies changed them">
          <Changed before={proposed} after={changed} amountsIn={amountsIn} />
        </Part>
      )}
      {approved === null ? null : (
        <Part
          title={
            <>
              {edited ? "As a person edited and approved them" : "Approved as they stood"}
              {approver === null ? "" : ", "}
              {approver === null ? null : <Untrusted>{approver}</Untrusted>}
            </>
          }
        >
          {edited ? <Changed before={changed ?? proposed} after={approved} amountsIn={amountsIn} /> : null}
        </Part>
      )}
      <Part title="As they ran">
        {ran === null ? (
          <p className="text-muted">The tool was not started with any.</p>
        ) : isOther(proposed, ran) ? (
          <ContentView content={ran} amountsIn={amountsIn} />
        ) : (
          <p>Exactly as proposed.</p>
        )}
      </Part>
    </>
  );
}

/** What is masked or gone on one side cannot be called equal. */
function isOther(before: Recorded | null, after: Recorded | null): boolean {
  const [old, now] = [shownOf(before), shownOf(after)];
  return old === undefined || now === undefined || changedPaths(old, now).length > 0;
}

interface ChangedProps {
  readonly before: Recorded | null;
  readonly after: Recorded | null;
  readonly amountsIn: AmountsIn;
}

function Changed({ before, after, amountsIn }: ChangedProps) {
  const [old, now] = [shownOf(before), shownOf(after)];
  if (old === undefined || now === undefined) return <ContentView content={after} amountsIn={amountsIn} />;
  return <Difference before={old} after={now} amountsIn={amountsIn} />;
}
