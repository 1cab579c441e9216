/** `saferun replay RUN --reexecute FILE`: the agent's own module, answered from the record. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Divergence, type Fork, type RunTree, shownValue, toWire } from "@saferun/core";
import type { ReExecution } from "@saferun/sdk";
import { EXIT, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import type { Style } from "../output/style.ts";

/** Names under which a module gives the function that runs its agent; without one, importing it is the run. */
const ENTRIES = ["reexecute", "run", "main", "default"] as const;

export async function reExecuteModule(io: Io, tree: RunTree, file: string, fork?: Fork): Promise<ReExecution> {
  const path = resolve(io.cwd, file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw usage(`there is no file \`${printable(file)}\``);
  const facts = {
    run: tree.run,
    prompt: shownValue(tree.prompt) ?? [],
    principal: shownValue(tree.principal) ?? null,
    context: shownValue(tree.context) ?? {},
  };
  io.warn(
    "models and gated tools are answered from the record; what the agent's code contacts by itself cannot be stopped in this process",
  );
  const { reExecute } = await import("@saferun/sdk");
  // Also where nothing is left to do while the code waits: what was not compared to its end did not do as recorded.
  const cutOff = (): void => {
    io.warn("the agent's code ended the process before its run was over: what it would have done is not known");
    process.exitCode = EXIT.found;
  };
  process.once("exit", cutOff);
  try {
    return await reExecute(tree, () => runModule(path, facts), fork);
  } finally {
    process.off("exit", cutOff);
  }
}

async function runModule(path: string, facts: object): Promise<void> {
  const module: unknown = await import(pathToFileURL(path).href);
  if (typeof module !== "object" || module === null) return;
  for (const name of ENTRIES) {
    const entry: unknown = Reflect.get(module, name);
    if (typeof entry === "function") {
      await Reflect.apply(entry, undefined, [facts]);
      return;
    }
  }
}

export function reExecutionJson(report: ReExecution, fork?: Fork): object {
  return { same: report.divergence === null && report.error === null, fork: fork?.step ?? null, ...toWire(report) };
}

const SAID: Readonly<Record<Divergence["kind"], string>> = {
  other_tool: "another tool was called",
  other_arguments: "the same tool was called with other arguments",
  other_prompt: "the model was asked something else",
  missing_call: "a recorded step did not come",
  extra_call: "something was asked that is not recorded",
  no_answer: "the record has no answer for it",
};

export function reExecutionLines({ divergence, changes, answered, error }: ReExecution, style: Style): string[] {
  const lines = changes.map((change) => `${style.wait("changed")}  ${divergenceText(change)}`);
  if (divergence !== null) {
    const { kind, step, where, expected, got } = divergence;
    lines.push(
      `${style.bad(kind.replace("_", " "))}  ${step === null ? "behind the last step" : `step ${step}`}: ${SAID[kind]} (${printable(where)})`,
      `  expected  ${expected === null ? "nothing" : printable(expected)}`,
      `  got       ${got === null ? "nothing" : printable(got)}`,
    );
  }
  if (error !== null) lines.push(`${style.bad("the agent's code failed")}: ${printable(error)}`);
  const count = `${answered} ${answered === 1 ? "answer" : "answers"} from the record`;
  if (divergence === null && error === null) lines.push(`${style.good("no divergence")}, ${count}`);
  else lines.push(style.dim(`${count} before it`));
  return lines;
}

function divergenceText({ step, where, expected, got }: Divergence): string {
  return `step ${step ?? "?"}, ${printable(where)}: ${printable(expected ?? "nothing")} → ${printable(got ?? "nothing")}`;
}
