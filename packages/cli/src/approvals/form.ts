/** The form on a terminal: list → what will run → edit → difference → confirm. */
import { intro, isCancel, log, note, outro, select, text } from "@clack/prompts";
import {
  type Answered,
  type ApprovalRecord,
  type Approver,
  amountsOf,
  type DecisionPorts,
  decideApproval,
  formTerms,
  type GrantTerms,
  grantText,
  type Json,
  recordView,
  versionOf,
} from "@saferun/core";
import { parsed } from "@saferun/server/wire";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { short } from "../output/printable.ts";
import { answered, approverText } from "./answer.ts";
import { askEdited } from "./ask-edited.ts";
import { askGrant } from "./ask-grant.ts";
import { listApprovals } from "./find.ts";
import { approvalLines, differenceLines, previewText, timeText } from "./view.ts";

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
          label: `${short(approval.tool, 40)}  ${previewText(approval, 60)}`,
          hint: timeText(approval, now),
        })),
        { value: "", label: "leave" },
      ],
    });
    if (isCancel(chosen) || chosen === "") {
      outro("left; nothing more was decided");
      return EXIT.fine;
    }
    const approval = await ports.store.approval(chosen);
    if (approval !== undefined) await answerOne(options, approval, io);
  }
}

async function answerOne(options: FormOptions, approval: ApprovalRecord, io: Io): Promise<void> {
  const { call, run, id } = approval;
  const target = { runs: [run], calls: [call], approvals: [id] };
  await recordView(options.ports, { by: options.by, type: "payload.viewed", what: "approvals", target });
  const standing = parsed(versionOf(approval).bytes);
  let args = standing;
  note(approvalLines(approval, options.ports.clock.now(), io.style).join("\n"), "a call waits", {
    format: (line) => line,
  });
  for (;;) {
    const edited = args !== standing;
    const action = await select({
      message: edited ? "approve the edited call?" : "what shall happen?",
      initialValue: "back",
      options: actionsOf(approval, edited),
    });
    if (isCancel(action) || action === "back") return;
    if (action === "edit") {
      args = (await askEdited(args, formTerms(approval, args))) ?? args;
      const changes = differenceLines(standing, args, io.style, (shown) => amountsOf(approval, shown));
      if (changes.length === 0) args = standing;
      log.message(changes.length === 0 ? "nothing is changed" : changes.join("\n"));
      continue;
    }
    const grant = action === "permit" ? await askGrant(approval) : undefined;
    if (action === "permit" && grant === undefined) continue;
    if (grant !== undefined)
      log.message(`permitted too: ${grantText(JSON.stringify(args), grant, approval.grantOffer)}`);
    const why = await text({
      message: action === "deny" ? "why? The agent is told (may stay empty)" : "a note for the record (may stay empty)",
      defaultValue: "",
    });
    if (isCancel(why)) continue;
    const said = { verdict: action === "deny" ? "deny" : "approve", why, grant } as const;
    const answer = await decide(options, approval, said, edited ? args : undefined);
    if (answer.answer === "applied") log.success(answer.message);
    else log.error(answer.message);
    // An edit that cannot be is mended here, not typed again.
    if (answer.mendable !== true) return;
  }
}

function actionsOf(approval: ApprovalRecord, edited: boolean) {
  return [
    { value: "back", label: "back to the list", hint: "decides nothing" },
    { value: "approve", label: edited ? "approve as edited" : "approve", hint: "it runs once, with these arguments" },
    ...(approval.grantOffer === undefined
      ? []
      : [
          {
            value: "permit",
            label: "approve, and permit the like for a while",
            hint: "so often, so much; not asked again",
          },
        ]),
    ...(approval.editable.length > 0 ? [{ value: "edit", label: edited ? "edit again" : "edit, then decide" }] : []),
    { value: "deny", label: "deny", hint: "the agent is told" },
  ];
}

interface Said {
  readonly verdict: "approve" | "deny";
  readonly why: string;
  readonly grant: GrantTerms | undefined;
}

async function decide(
  { ports, by }: FormOptions,
  { id, version }: ApprovalRecord,
  { verdict, why, grant }: Said,
  args: Json | undefined,
): Promise<Answered> {
  const decision = await decideApproval(ports, {
    ...{ approval: id, version, verdict, by },
    ...(why === "" ? {} : { note: why }),
    ...(args === undefined || verdict === "deny" ? {} : { args }),
    ...(grant === undefined ? {} : { grant }),
  });
  return answered(decision);
}
