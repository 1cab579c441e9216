/** Detectors of runs that get nowhere although their calls differ: errors, varied, raw. */

import type { LoopSettings } from "../../detectors.ts";
import { isOfHealth } from "../error-class.ts";
import { type Finding, makeFinding, named } from "./finding.ts";
import type { CallKeys, Fingerprint } from "./fingerprint.ts";
import { type RunHistory, timesOf } from "./history.ts";

/** One tool that fails the same way since its last success, whatever the arguments. */
export function errors(history: RunHistory, keys: CallKeys, settings: LoopSettings["errors"]): Finding | undefined {
  const last = history.recent.findLast((print) => print.tool === keys.tool);
  if (last === undefined || last.errorClass === null || isOfHealth(last.errorClass)) return undefined;
  const own = history.recent.filter((print) => print.tool === keys.tool);
  const streak = own.slice(own.findLastIndex((print) => print.errorClass !== last.errorClass) + 1);
  const count = streak.length;
  if (count < settings.streak) return undefined;
  const trips = count >= settings.trip;
  return makeFinding({
    detector: "errors",
    reaction: trips ? "trip_run" : settings.over,
    mode: settings.mode,
    key: `errors:${keys.tool}:${last.errorClass}`,
    tool: keys.tool,
    count,
    limit: trips ? settings.trip : settings.streak,
    calls: streak.map((print) => print.callId),
    observed: `The tool ${named(keys.tool)} failed ${count} times in a row with the same kind of error.`,
    allowed: "Still allowed: other tools, or an answer to the person that says what fails.",
  });
}

/** A reading tool that gives one and the same answer to ever new questions. Answers to writes ("ok") say nothing. */
export function varied(history: RunHistory, keys: CallKeys, settings: LoopSettings["varied"]): Finding | undefined {
  if (keys.kind !== "read") return undefined;
  const window = history.recent.slice(-settings.last);
  const answer = window.findLast((print) => isAnswerOf(print, keys.tool))?.resultKey;
  const same = window.filter((print) => print.resultKey === answer && isAnswerOf(print, keys.tool));
  if (same.length < settings.questions) return undefined;
  const questions = new Map(same.map((print) => [print.callKey, print]));
  if (questions.size < settings.questions) return undefined;
  return makeFinding({
    detector: "varied",
    reaction: settings.over,
    mode: settings.mode,
    key: `varied:${keys.tool}:${answer ?? ""}`,
    tool: keys.tool,
    count: questions.size,
    limit: settings.questions,
    calls: [...questions.values()].map((print) => print.callId),
    observed: `The tool ${named(keys.tool)} gave the same answer to ${questions.size} different questions.`,
    allowed: "Still allowed: other tools, or an answer to the person with what was found.",
  });
}

function isAnswerOf(print: Fingerprint, tool: string): boolean {
  return print.tool === tool && print.errorClass === null;
}

/** The same call so often in one run that no result can justify it. */
export function raw(history: RunHistory, keys: CallKeys, settings: LoopSettings["raw"]): Finding | undefined {
  const count = timesOf(history, keys.callKey);
  if (count < settings.calls) return undefined;
  return makeFinding({
    detector: "raw",
    reaction: settings.over,
    mode: settings.mode,
    key: `raw:${keys.callKey}`,
    tool: keys.tool,
    count,
    limit: settings.calls,
    calls: [],
    observed: `The tool ${named(keys.tool)} was called ${count} times with these arguments in this run.`,
    allowed: "Still allowed: other arguments and other tools.",
  });
}
