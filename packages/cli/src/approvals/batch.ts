/** Several calls in one view, each bound on its own; and taking back what was denied or permitted before. */
import { type Answered, decideApproval, liftDenial, recordView, revokeGrant, type Store } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { runMeant } from "../runs/find.ts";
import { storeOption, withStore } from "../store.ts";
import { answered, answerJson } from "./answer.ts";
import { localApprover } from "./approver.ts";
import { findApproval, listApprovals } from "./find.ts";
import { GRANT_HELP, grantChosen } from "./grants.ts";
import { approvalLines } from "./view.ts";

interface BatchOptions extends Shared {
  readonly store: string;
  readonly approve?: boolean;
  readonly deny?: boolean;
  readonly allOfRun?: string;
  readonly note?: string;
  readonly grant?: string;
}

interface BackOptions extends Shared {
  readonly store: string;
  readonly note?: string;
}

export function registerBatch(parent: Command, { io, run }: CommandSetup): void {
  const decide = parent
    .command("decide")
    .summary("answer several calls at once")
    .description(
      "Shows several calls whole, one after the other, and gives each the same answer. Each is bound on its own: one that\n" +
        "was decided or changed meanwhile is refused alone. Without --approve or --deny it only shows them.",
    )
    .argument("[ids...]", "approvals, or parts of their ids")
    .option("--all-of-run <run>", "all that wait in this run")
    .option("--approve", "let each of them run, once, as it stands")
    .option("--deny", "refuse each of them")
    .option("--note <text>", "why; told to the agent where it is a denial")
    .option("--grant <terms>", `with --approve: ${GRANT_HELP}`)
    .addOption(storeOption())
    .action(
      run((ids: readonly string[], options: BatchOptions) =>
        withStore(io, options.store, (store) => decideAll(io, store, ids, options)),
      ),
    );
  describe(decide, [
    "saferun approvals decide appr_5f21… appr_5f22… --approve",
    "saferun approvals decide appr_5f21… --approve --grant 'for=1h count=5 most=50'",
    "saferun approvals decide --all-of-run run_81c2… --deny --note 'stop here'",
  ]);
  const lift = parent
    .command("lift")
    .summary("take back a denial, so that the same call is asked about again")
    .description("What a person has denied stays denied for a while. This takes it back; your note says why.")
    .argument("<id>", "the approval that was denied")
    .requiredOption("--note <text>", "why; recorded")
    .addOption(storeOption())
    .action(run((id: string, options: BackOptions) => takeBack(io, id, options, liftDenial)));
  describe(lift, ["saferun approvals lift appr_5f21… --note 'the customer called'"]);
  const revoke = parent
    .command("revoke")
    .summary("end what was permitted for a while with an approval")
    .description("Ends a grant. Calls that run already are not stopped.")
    .argument("<id>", "the approval that the grant was given with")
    .requiredOption("--note <text>", "why; recorded")
    .addOption(storeOption())
    .action(run((id: string, options: BackOptions) => takeBack(io, id, options, revokeGrant)));
  describe(revoke, ["saferun approvals revoke appr_5f21… --note 'no more'"]);
}

async function decideAll(io: Io, store: Store, ids: readonly string[], options: BatchOptions): Promise<ExitCode> {
  const { approve = false, deny = false, allOfRun, note, grant } = options;
  if (approve && deny) throw usage("give `--approve` or `--deny`, not both");
  if (grant !== undefined && !approve) throw usage("`--grant` stands beside `--approve`");
  if ((ids.length === 0) === (allOfRun === undefined)) throw usage("name approvals, or a run with `--all-of-run`");
  const waiting = await listApprovals(store, nodeClock.now(), false);
  const ofRun = allOfRun === undefined ? undefined : ((await runMeant(store, allOfRun))?.id ?? allOfRun);
  const named =
    ofRun === undefined
      ? ids
      : waiting
          .filter(({ run }) => run === ofRun)
          .map(({ id }) => id)
          .reverse();
  const chosen = await Promise.all([...new Set(named)].map((id) => findApproval(store, id)));
  if (chosen.length === 0) throw failed("approval.missing", `nothing waits in run \`${printable(allOfRun ?? "")}\``);
  if (!options.json) {
    const target = {
      runs: [...new Set(chosen.map(({ run }) => run))],
      calls: chosen.map(({ call }) => call),
      approvals: chosen.map(({ id }) => id),
    };
    const by = localApprover(io.user, "cli");
    const ports = { store, hash: nodeHash, random: nodeRandom };
    await recordView(ports, { by, type: "payload.viewed", what: "approvals decide", target });
    for (const approval of chosen) io.print([...approvalLines(approval, nodeClock.now(), io.style), ""].join("\n"));
  }
  if (!approve && !deny) return EXIT.fine;
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  // All of them before the first is answered: a mistake decides nothing.
  const grants = chosen.map((approval) => (grant === undefined ? undefined : grantChosen(approval, grant)));
  const answers: Answered[] = [];
  for (const [index, { id, version }] of chosen.entries()) {
    const terms = grants[index];
    const decided = await decideApproval(ports, {
      approval: id,
      // As it was shown above: what has changed since is refused alone.
      version,
      verdict: approve ? "approve" : "deny",
      by: localApprover(io.user, "cli"),
      ...(note === undefined ? {} : { note }),
      ...(terms === undefined ? {} : { grant: terms }),
    });
    answers.push(answered(decided));
  }
  const now = nodeClock.now();
  if (options.json) printJson(io, { answers: answers.map((answer) => answerJson(answer, now)) });
  else io.print(answers.map((answer) => answerLine(answer, io)).join("\n"));
  return answers.every(({ answer }) => answer === "applied") ? EXIT.fine : EXIT.found;
}

function answerLine({ answer, message, approval }: Answered, io: Io): string {
  const paint = answer === "applied" ? io.style.good : io.style.bad;
  return `${approval?.id ?? ""}  ${paint(message)}`;
}

async function takeBack(io: Io, id: string, options: BackOptions, act: typeof liftDenial): Promise<ExitCode> {
  const why = options.note ?? "";
  if (why.trim() === "") throw usage("`--note` says why, and is recorded");
  return withStore(io, options.store, async (store) => {
    const approval = await findApproval(store, id);
    const by = localApprover(io.user, "cli");
    const done = await act({ store, clock: nodeClock, random: nodeRandom }, approval.id, { by, why });
    const message = done ? `taken back: ${approval.id}` : `nothing stands that came with ${approval.id}`;
    if (options.json) printJson(io, { done, approval: approval.id });
    else io.print(done ? io.style.good(message) : io.style.bad(message));
    return done ? EXIT.fine : EXIT.found;
  });
}
