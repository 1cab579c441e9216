/** How a question ended: who said it, where, and what they made of the arguments. */
import type { Json } from "@saferun/core";
import { Difference } from "../../ui/difference.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { type Approval, amountsIn, proposedOf } from "./approval.ts";
import { Part } from "./part.tsx";

const UNANSWERED: Readonly<Record<string, string>> = {
  pending: "The time is over: nobody answered, so it is denied.",
  expired: "Nobody answered in time, so it is denied.",
  withdrawn: "The call ended without an answer, and waits no more.",
};

export function Decided({ approval }: { readonly approval: Approval }) {
  const { decision } = approval;
  if (decision === null) {
    const text = UNANSWERED[approval.state];
    return text === undefined ? null : <p className="mt-4 font-medium">{text}</p>;
  }
  return (
    <Part title="What was decided">
      <p>
        {decision.verdict === "deny" ? "Denied" : decision.edited ? "Approved as edited" : "Approved"} by{" "}
        <Untrusted>{decision.by}</Untrusted>
        {decision.verified ? "" : ", not verified"} in {decision.via}, <Time at={decision.at} />
      </p>
      {decision.note === null ? null : (
        <p className="text-muted">
          <Untrusted>{decision.note}</Untrusted>
        </p>
      )}
      {decision.edited ? (
        <Difference before={proposedOf(approval)} after={decision.args as Json} amountsIn={amountsIn(approval)} />
      ) : null}
    </Part>
  );
}
