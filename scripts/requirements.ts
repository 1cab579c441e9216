/**
 * `npm run requirements`: how each promise stands, by the tests that ran last.
 * `--json` prints an array `{id, sentence, tests: [{file, name}], status: "met" | "gap", reason?}` and nothing else.
 */
import { REQUIREMENTS } from "../spec/requirements.ts";
import { readRun, type Standing, standings } from "./evidence.ts";
import { ROOT } from "./steps.ts";

const options = process.argv.slice(2);
const unknown = options.find((option) => option !== "--json");
if (unknown !== undefined) {
  console.error(`unknown option \`${unknown}\`; the only one is \`--json\``);
  process.exitCode = 2;
} else {
  const run = readRun(ROOT);
  const list = standings(REQUIREMENTS, run);
  console.log(options.includes("--json") ? JSON.stringify(list, null, 2) : table(list, run?.at));
}

function table(list: readonly Standing[], at: string | undefined): string {
  const lines = list.map(({ id, sentence, tests, status, reason }) => {
    const count = tests.length === 0 ? "" : ` (${tests.length} ${tests.length === 1 ? "test" : "tests"})`;
    const under = reason === undefined ? "" : `\n          ${reason}`;
    return `${id.padEnd(4)} ${status}  ${sentence}${count}${under}`;
  });
  const met = list.filter(({ status }) => status === "met").length;
  const when = at === undefined ? "no test run recorded" : `tests of ${at}`;
  return [...lines, "", `${met} of ${list.length} promises met, ${when}`].join("\n");
}
