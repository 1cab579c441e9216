/** What stands on the command line beside the names of suites. */

/** Entries in the logs that are measured on: `--entries N`; default 200,000, so that a whole run stays short. */
export const ENTRIES = numberAfter("--entries", 200_000);

/** The words that name suites. */
export const WORDS = process.argv
  .slice(2)
  .filter((word, index, all) => !word.startsWith("--") && all[index - 1] !== "--entries");

function numberAfter(option: string, otherwise: number): number {
  const at = process.argv.indexOf(option);
  if (at === -1) return otherwise;
  const number = Number(process.argv[at + 1]);
  if (Number.isSafeInteger(number) && number > 0) return number;
  process.stderr.write(`\`${option}\` needs a number\n`);
  process.exit(2);
}
