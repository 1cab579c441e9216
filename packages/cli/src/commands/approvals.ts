/** `saferun approvals`: look at calls that wait for a person, and answer them. */
import {
  type Answered,
  type ApprovalRecord,
  ASKER_GONE,
  type DecisionPorts,
  type DecisionRequest,
  decideApproval,
  formTerms,
  isAskerGone,
  JsonTextProblem,
  parseJson,
  type Store,
  versionOf as standingVersion,
} from "@saferun/core";
import { approvalJson, parsed, summaryJson } from "@saferun/server/wire";
import { nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { answered, answerJson } from "../approvals/answer.ts";
import { localApprover } from "../approvals/approver.ts";
import { registerBatch } from "../approvals/batch.ts";
import { withSetting } from "../approvals/edit.ts";
import { findApproval, listApprovals } from "../approvals/find.ts";
import { foreseeing } from "../approvals/foresee.ts";
import { approvalForm } from "../approvals/form.ts";
import { GRANT_HELP, grantChosen, registerGrants } from "../approvals/grants.ts";
import { approvalLines, approvalListLines, differenceLines } from "../approvals/view.ts";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { storeArgument, storeOption, withReadOnlyStore, withStore } from "../store.ts";
import { type Looking, withContent } from "../viewing.ts";

interface Options extends Shared {
  readonly store: string;
}

interface ListOptions extends Options {
  readonly all?: boolean;
}

interface DecideOptions extends Options {
  readonly version?: number;
  readonly note?: string;
  readonly args?: string;
  readonly set?: readonly string[];
  readonly grant?: string;
}

export function registerApprovals(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("approvals")
    .summary("answer the calls that wait for a person")
    .description(
      "Without a subcommand, on a terminal: choose a call, see what will run, edit it, approve or deny it.\n" +
        "Elsewhere: the list. An answer that did not apply (already decided, stale version, expired, not allowed) exits 1.",
    )
    .enablePositionalOptions()
    .addOption(storeOption())
    .action(run((options: Options) => front(io, options)));
  describe(command, ["saferun approvals", "saferun approvals approve appr_5f21… --set amount=50"]);

  const list = command
    .command("list")
    .summary("list the calls that wait")
    .description("Lists the calls that wait for a person, the newest first.")
    .option("--all", "decided and expired ones too")
    .addOption(storeOption())
    .action(
      run((options: ListOptions) => withReadOnlyStore(io, options.store, (store) => showList(io, store, options))),
    );
  describe(list, ["saferun approvals list", "saferun approvals list --all --json"]);

  const show = command
    .command("show")
    .summary("show one: what will run, and why it was paused")
    .description("Shows all arguments of a call, why it was paused, and what an approver may edit.")
    .argument("<id>", "the approval, or a part of its id")
    .addOption(storeOption())
    .action(
      run((id: string, options: Options) =>
        withContent(io, options.store, (store, looking) => showOne(io, store, looking, id, options)),
      ),
    );
  describe(show, ["saferun approvals show appr_5f21…"]);

  for (const verdict of ["approve", "deny"] as const) registerDecide(command, verdict, { io, run });
  registerBatch(command, { io, run });
  registerGrants(command, { io, run });
}

function registerDecide(parent: Command, verdict: "approve" | "deny", { io, run }: CommandSetup): void {
  const command = parent
    .command(verdict)
    .summary(verdict === "approve" ? "let a call run, as proposed or as edited" : "refuse a call")
    .description(
      verdict === "approve"
        ? "Lets exactly one call run, once: as proposed, or with editable arguments changed. Policies judge it again before it runs."
        : "Refuses a call. The agent is told so, with your note.",
    )
    .argument("<id>", "the approval, or a part of its id")
    .addOption(storeOption())
    .option("--note <text>", verdict === "deny" ? "why; told to the agent" : "why; recorded")
    .option("--version <number>", "the version that you looked at; another one is refused as stale", versionOf)
    .action(
      run((id: string, options: DecideOptions) =>
        withStore(io, options.store, (store) => decide(io, store, verdict, id, options)),
      ),
    );
  if (verdict === "approve") {
    command
      .option("--set <path=value>", "change one editable argument; may be given more than once", collect)
      .option("--args <json>", "all arguments as they shall run")
      .option("--grant <terms>", GRANT_HELP);
  }
  describe(
    command,
    verdict === "approve"
      ? [
          "saferun approvals approve appr_5f21…",
          "saferun approvals approve appr_5f21… --set amount=50 --note 'only the difference'",
          "saferun approvals approve appr_5f21… --grant 'for=1h count=5 most=50'",
        ]
      : ["saferun approvals deny appr_5f21… --note 'ask the customer first'"],
  );
}

function front(io: Io, options: Options): Promise<ExitCode> {
  if (options.json || !io.interactive) {
    return withReadOnlyStore(io, options.store, (store) => showList(io, store, options));
  }
  const by = localApprover(io.user, "cli");
  return withStore(io, options.store, (store) => approvalForm(io, { ports: portsOf(io, store), by }));
}

function portsOf(io: Io, store: Store): DecisionPorts {
  const foresee = foreseeing(io, { store, clock: nodeClock });
  return { store, clock: nodeClock, hash: nodeHash, random: nodeRandom, foresee };
}

async function showList(io: Io, store: Store, options: ListOptions): Promise<ExitCode> {
  const now = nodeClock.now();
  const approvals = await listApprovals(store, now, options.all === true);
  if (options.json) printJson(io, { approvals: approvals.map((approval) => summaryJson(approval, now)) });
  else if (approvals.length > 0) io.print(approvalListLines(approvals, now, io.style).join("\n"));
  else io.print(options.all ? "no approvals yet" : "nothing waits for a person");
  return EXIT.fine;
}

async function showOne(io: Io, store: Store, looking: Looking, id: string, options: Options): Promise<ExitCode> {
  const approval = await findApproval(store, id);
  const { call, run } = approval;
  await looking.shows({ what: "approvals show", target: { runs: [run], calls: [call], approvals: [approval.id] } });
  const now = nodeClock.now();
  if (options.json) printJson(io, approvalJson(approval, now));
  else io.print([...approvalLines(approval, now, io.style), ...nextLines(approval, now, options)].join("\n"));
  if (approval.state === "pending" && (await isAskerGone(store, approval))) io.warn(ASKER_GONE);
  return EXIT.fine;
}

function nextLines(approval: ApprovalRecord, now: number, options: Options): string[] {
  if (approval.state !== "pending" || now >= approval.deadline) return [];
  const where = storeArgument(options.store);
  const act = (verdict: string) =>
    `  saferun approvals ${verdict} ${approval.id} --version ${approval.version}${where}`;
  return ["", "to answer", act("approve"), act("deny")];
}

async function decide(
  io: Io,
  store: Store,
  verdict: "approve" | "deny",
  id: string,
  options: DecideOptions,
): Promise<ExitCode> {
  const approval = await findApproval(store, id);
  const args = editedArgs(approval, options);
  const request: DecisionRequest = {
    approval: approval.id,
    // Edits were made on the version read here: if it changes before the decision, that is stale too.
    version: options.version ?? approval.version,
    verdict,
    by: localApprover(io.user, "cli"),
    ...(options.note === undefined ? {} : { note: options.note }),
    ...(args === undefined ? {} : { args }),
    ...(options.grant === undefined ? {} : { grant: grantChosen(approval, options.grant) }),
  };
  const answer = answered(await decideApproval(portsOf(io, store), request));
  if (options.json) printJson(io, answerJson(answer, nodeClock.now()));
  else io.print(answerLines(answer, io).join("\n"));
  if (answer.answer === "applied" && verdict === "approve" && (await isAskerGone(store, approval))) io.warn(ASKER_GONE);
  return answer.answer === "applied" ? EXIT.fine : EXIT.found;
}

function editedArgs(approval: ApprovalRecord, options: DecideOptions): unknown {
  const settings = options.set ?? [];
  if (options.args !== undefined && settings.length > 0) throw usage("give `--args` or `--set`, not both");
  if (options.args !== undefined) return jsonOf(options.args);
  if (settings.length === 0) return undefined;
  const standing = parsed(standingVersion(approval).bytes);
  return settings.reduce((args, setting) => withSetting(args, setting, formTerms(approval, args)), standing);
}

function answerLines({ answer, message, approval }: Answered, io: Io): string[] {
  const decision = answer === "applied" ? approval?.decision : undefined;
  const paint = answer === "applied" ? io.style.good : io.style.bad;
  if (!approval || !decision?.edited) return [paint(message)];
  return [paint(message), ...differenceLines(parsed(approval.bytes), parsed(decision.bytes), io.style)];
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonTextProblem)
      throw usage(`\`--args\` is no JSON at column ${error.column}: ${error.message}`);
    throw error;
  }
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function versionOf(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new InvalidArgumentError("it is a number, as `saferun approvals show` prints it");
  return Number(text);
}
