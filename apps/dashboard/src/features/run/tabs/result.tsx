import { dollarsText } from "@saferun/core";
import { ContentView } from "../content.tsx";
import type { Held } from "../tree.ts";
import { EventParts } from "./arguments.tsx";
import { Part } from "./part.tsx";

/** What came back, and what the model was told beside it. */
export function ResultTab({ step }: Pick<Held, "step">) {
  if (step.kind === "event") return <EventParts step={step} />;
  const answer = step.kind === "call" ? step.result : step.response;
  if (answer === null && step.error === null)
    return <p className="text-muted">{NOTHING[step.state] ?? "No result."}</p>;
  return (
    <>
      {step.kind === "model" ? (
        <Part title="What it used">
          <p className="tabular-nums">
            {step.input_tokens?.toLocaleString() ?? "unknown"} tokens in,{" "}
            {step.output_tokens?.toLocaleString() ?? "unknown"} out,{" "}
            {step.usd_micros === null ? "price unknown" : dollarsText(step.usd_micros)}
            {step.estimated ? ", estimated" : ""}
            {step.cut_off === null ? "" : `; cut off: ${step.cut_off}`}
          </p>
        </Part>
      ) : null}
      {answer === null ? null : (
        <Part title={step.kind === "call" ? "What the tool returned" : "What the model answered"}>
          <ContentView content={answer} />
        </Part>
      )}
      {step.error === null ? null : (
        <Part title="What failed">
          <ContentView content={step.error} />
        </Part>
      )}
      {step.kind === "call" && step.note !== null ? (
        <Part title="What the model was told beside it">
          <ContentView content={step.note} />
        </Part>
      ) : null}
    </>
  );
}

const NOTHING: Readonly<Record<string, string>> = {
  waiting: "It waits for a person: the tool has not been started.",
  suspended: "It is suspended: the tool has not been started.",
  approved: "It was approved and has not been started yet.",
  executing: "The tool runs, or its process ended before it could say how.",
  denied: "It was denied: the tool was not started.",
  expired: "Nobody approved it in time: the tool was not started.",
  withdrawn: "It was given up: the tool was not started.",
  unknown: "Nobody knows whether the tool has acted.",
  pending: "The model has not answered yet.",
  refused: "The question was refused: the model was not asked.",
};
