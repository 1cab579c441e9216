/**
 * `npm start`: six people write to a support agent, and SafeRun stands between the agent and its tools.
 *
 * The agent is real (AI SDK), the model is scripted behind a real HTTP endpoint, and the tools are small servers that
 * write down every request that they execute. What is printed comes from the gate's log and from those ledgers.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SafeRunError, saferun } from "@saferun/sdk";
import { createSupportAgent } from "./agent.ts";
import { playedApprover, realApprover } from "./approver.ts";
import { CONVERSATIONS, EDITED_AMOUNT, isExpected } from "./conversations.ts";
import { crashAt } from "./crash.ts";
import { onEnd, runToEnd } from "./ending.ts";
import { openLog } from "./log.ts";
import { startModel } from "./model.ts";
import { createNarrator } from "./narrate.ts";
import { type DemoOptions, openDataDirectory, readOptions, shortPath, USAGE } from "./options.ts";
import { readLedgers, startToolServers } from "./servers/start.ts";
import type { StoryCall } from "./story.ts";

const POLICIES = fileURLToPath(new URL("policies.yaml", import.meta.url));
/** Whatever happens, the demo is over by then. A question to a person stands for 15 minutes (policies.yaml). */
const LIMIT_MS = { once: 60_000, interactive: 20 * 60_000 };

async function play(options: DemoOptions): Promise<number> {
  const directory = openDataDirectory(options.data);
  const store = join(directory, "store");
  // What SafeRun knows of this machine, beside the demo's other files rather than in the home directory.
  process.env.SAFERUN_STATE_DIR ??= join(directory, "state");
  const narrator = createNarrator((line) => process.stdout.write(options.json ? "" : `${line}\n`));

  const servers = await startToolServers(directory);
  onEnd(servers.stop);
  const model = await startModel();
  onEnd(model.stop);

  const myAgent = createSupportAgent({ modelUrl: model.url, toolUrls: servers.urls, onStep: crashAt });
  const approver = options.once ? playedApprover() : realApprover(shortPath(store), narrator.say);

  const agent = saferun.wrap(myAgent, {
    policies: [POLICIES],
    onPause: async (approval) => {
      crashAt("paused");
      await tell();
      await approver.ask(approval);
      crashAt("decided");
    },
    // Who is on call hears of it here; the demo tells it as part of the story.
    onAlarm: async ({ changes }) => {
      if (changes.some(({ to }) => to === "stopped")) crashAt("tripped");
      await tell();
    },
    agent: "support-agent",
    environment: "prod",
    store,
  });
  onEnd(() => saferun.shutdown());
  const log = openLog(store);
  onEnd(log.close);

  /** Prints what the log has learned since the last time. */
  async function tell(): Promise<StoryCall[]> {
    // What has tripped by then is not told before the calls that did it.
    const trips = await log.trips();
    const calls = await log.calls();
    narrator.calls(calls, readLedgers(directory));
    narrator.trips(trips);
    return calls;
  }

  narrator.opening(shortPath(POLICIES));
  const begun = await log.principals();
  if (begun.size > 0) {
    await log.repaired();
    narrator.title("What an earlier start has left");
    await tell();
  }
  for (const [index, { principal, title, prompt }] of CONVERSATIONS.entries()) {
    // A conversation that was cut off is for a person to look at: nothing of it is simply done again.
    if (begun.has(principal)) continue;
    narrator.title(`${index + 1}  ${title}`);
    const answer = saferun.run({ id: principal, principal: { id: principal }, prompt }, () =>
      agent.generate({ prompt, onStepFinish: async () => void (await tell()) }),
    );
    // A run that is stopped ends here: its model is not asked any more either.
    await answer.catch((error: unknown) => {
      if (!(error instanceof SafeRunError && error.code === "breaker.open")) throw error;
    });
    approver.dismiss();
    await tell();
  }

  const calls = await tell();
  const ran = readLedgers(directory);
  // The log's last entries are signed when the gate closes.
  await saferun.shutdown();
  const [report, trips, budgets] = [await log.verify(), await log.trips(), await log.budgets()];
  crashAt("verified");
  const expected = isExpected(ran, {
    approved: options.once ? EDITED_AMOUNT : approvedAmount(calls),
    resumed: begun.size > 0,
  });
  narrator.summary(ran, expected);
  narrator.budgets(budgets, ran);
  narrator.log(report);
  narrator.say(`\nSee it again   npx saferun runs --store ${shortPath(store)}`);
  narrator.say(`               npx saferun log verify --store ${shortPath(store)}`);
  for (const { name } of trips.filter(({ to }) => to === "stopped")) {
    narrator.say(
      `${`Let ${name} go on`.padEnd(15)}npx saferun breakers reset run:${name} --reason "…" --store ${shortPath(store)}`,
    );
  }
  if (options.json) {
    const decisions = calls.map(({ tool, verdict, rules }) => ({ tool, verdict, rule: rules.join(" ") }));
    const effects = ran.map(({ server, tool, args }) => ({ server, tool, args }));
    process.stdout.write(`${JSON.stringify({ ran: effects, decisions, trips, budgets, log: report }, null, 2)}\n`);
  }
  return expected && report.status === "verified" ? 0 : 1;
}

/** What a person let through of the refund that was paused; null when nobody did. */
function approvedAmount(calls: readonly StoryCall[]): number | null {
  const { answer, refused } = calls.find(({ verdict }) => verdict === "pause") ?? {};
  return answer?.verdict === "allow" && refused === undefined ? Number(answer.args.amount) : null;
}

let options: DemoOptions | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 2;
}
if (options !== undefined) {
  const chosen = options;
  await runToEnd(chosen.once ? LIMIT_MS.once : LIMIT_MS.interactive, () => play(chosen));
}
