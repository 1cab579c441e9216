/** What stands on the command line beside the names of suites. */

/** Entries in the logs that are measured on: `--entries N`; default 200,000, so that a whole run stays short. */
export const ENTRIES = numberAfter("--entries", 200_000);

/**
 * Where the suite `record` makes its store and leaves it: `--store DIR`. One that holds as many entries already is measured as
 * it is. Default: made for this run, and removed.
 */
export const STORE = textAfter("--store");

const WITH_VALUE = ["--entries", "--store"];

/** The words that name suites. */
export const WORDS = process.argv
  .slice(2)
  .filter((word, index, all) => !word.startsWith("--") && !WITH_VALUE.includes(all[index - 1] ?? ""));

function textAfter(option: string): string | undefined {
  const at = process.argv.indexOf(option);
  if (at === -1) return undefined;
  const text = process.argv[at + 1];
  if (text !== undefined && !text.startsWith("--")) return text;
  process.stderr.write(`\`${option}\` needs a value\n`);
  process.exit(2);
}

function numberAfter(option: string, otherwise: number): number {
  const at = process.argv.indexOf(option);
  if (at === -1) return otherwise;
  const number = Number(process.argv[at + 1]);
  if (Number.isSafeInteger(number) && number > 0) return number;
  process.stderr.write(`\`${option}\` needs a number\n`);
  process.exit(2);
}
