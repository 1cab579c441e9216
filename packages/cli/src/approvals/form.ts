/** The form on a terminal: list → what will run → edit → difference → confirm. */
import { intro, isCancel, log, note, outro, select, text } from "@clack/prompts";
import type { ApprovalRecord, Approver, DecisionPorts, Json } from "@saferun/core";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { short } from "../output/printable.ts";
import { parsed } from "../wire.ts";
import { type Answer, answerOf, approverText } from "./answer.ts";
import { askEdited } from "./ask-edited.ts";
import { listApprovals } from "./find.ts";
import { decideForeseeing } from "./foresee.ts";
import { approvalLines, differenceLines, timeText } from "./view.ts";

export interface FormOptions {
  readonly ports: DecisionPorts;
  readonly by: Approver;
}

/** Until the person leaves. Leaving decides nothing. */
export async function approvalForm(io: Io, options: FormOptions): Promise<ExitCode> {
  const { ports, by } = options;
  intro(`calls that wait for a person  ${io.style.dim(`(you are ${approverText(by)})`)}`);
  for (;;) {
    const now = ports.clock.now();
    const waiting = await listApprovals(ports.store, now, false);
    if (waiting.length === 0) {
      outro("nothing waits for a person");
      return EXIT.fine;
    }
    const chosen = await select({
      message: `${waiting.length} ${waiting.length === 1 ? "call waits" : "calls wait"}`,
      options: [
        ...waiting.map((approval) => ({
          value: approval.id,
          label: `${short(approval.tool, 40)}  ${short(approval.bytes, 60)}`,
          hint: timeText(approval, now),
        })),
        { value: "", label: "leave" },
      ],
    });
    const approval = isCancel(chosen) ? undefined : waiting.find(({ id }) => id === chosen);
    if (approval === undefined) {
      outro("left; nothing more was decided");
      return EXIT.fine;
    }
    await answerOne(io, options, approval);
  }
}

async function answerOne(io: Io, options: FormOptions, approval: ApprovalRecord): Promise<void> {
  const proposed = parsed(approval.bytes);
  let args = proposed;
  note(approvalLines(approval, options.ports.clock.now(), io.style).join("\n"), "a call waits", {
    format: (line) => line,
  });
  for (;;) {
    const edited = args !== proposed;
    const action = await select({
      message: edited ? "approve the edited call?" : "what shall happen?",
      initialValue: "back",
      options: [
        { value: "back", label: "back to the list", hint: "decides nothing" },
        {
          value: "approve",
          label: edited ? "approve as edited" : "approve",
          hint: "it runs once, with these arguments",
        },
        ...(approval.editable.length > 0
          ? [{ value: "edit", label: edited ? "edit again" : "edit, then decide" }]
          : []),
        { value: "deny", label: "deny", hint: "the agent is told" },
      ],
    });
    if (isCancel(action) || action === "back") return;
    if (action === "edit") {
      args = (await askEdited(args, approval)) ?? args;
      const changes = differenceLines(proposed, args, io.style);
      if (changes.length === 0) args = proposed;
      log.message(changes.length === 0 ? "nothing is changed" : changes.join("\n"));
      continue;
    }
    const why = await text({
      message: action === "deny" ? "why? The agent is told (may stay empty)" : "a note for the record (may stay empty)",
      defaultValue: "",
    });
    if (isCancel(why)) continue;
    const answer = await decide(io, options, approval, action, args === proposed ? undefined : args, why);
    if (answer.answer === "applied") log.success(answer.message);
    else log.error(answer.message);
    return;
  }
}

async function decide(
  io: Io,
  { ports, by }: FormOptions,
  approval: ApprovalRecord,
  action: string,
  args: Json | undefined,
  why: string,
): Promise<Answer> {
  const verdict = action === "approve" ? "approve" : "deny";
  const answer = answerOf(
    await decideForeseeing(io, ports, {
      approval: approval.id,
      version: approval.version,
      verdict,
      by,
      ...(why === "" ? {} : { note: why }),
      ...(args === undefined || verdict === "deny" ? {} : { args }),
    }),
  );
  return answer ?? { answer: "expired", message: "expired: the approval is gone", approval: undefined };
}
