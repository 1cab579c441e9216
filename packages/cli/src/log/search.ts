/** `saferun log search`: calls and entries by field, argument and text. */
import { parseQuery, SafeRunError, type Store } from "@saferun/core";
import {
  type IndexPosition,
  openSearch,
  readViews,
  type Search,
  type SearchAnswer,
  type SearchRequest,
  saveView,
} from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { CommandError, EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable, printableJson } from "../output/printable.ts";
import { requireStore, storeOption } from "../store.ts";
import { type Looking, withContent } from "../viewing.ts";
import { answerJson, answerLines, itemJson, itemLines } from "./search-view.ts";

interface Options extends Shared {
  readonly store: string;
  readonly limit: number;
  readonly oldest?: boolean;
  readonly cursor?: string;
  readonly follow?: boolean;
  readonly save?: string;
  readonly view?: string;
  readonly views?: boolean;
  readonly forgetView?: string;
}

export function registerSearch(parent: Command, { io, run }: CommandSetup): void {
  const search = parent
    .command("search")
    .summary("find calls and entries by field, argument and text")
    .description(
      "Finds calls, each with all its entries, and entries that are about no call; the newest first.\n" +
        "Quote the query for your shell; before one that begins with `-` stands `--`.",
    )
    .argument("[query...]", "what to look for; without it everything")
    .addOption(storeOption())
    .option("-n, --limit <count>", "calls and entries of one answer", limitOf, 20)
    .option("--oldest", "the oldest first")
    .option("--cursor <cursor>", "go on where an answer ended")
    .option("--follow", "then wait for what comes, until it is ended")
    .option("--save <name>", "keep the query under a name, beside the log")
    .option("--view <name>", "a query that was saved; what is given besides must hold too")
    .option("--views", "list the saved queries")
    .option("--forget-view <name>", "forget a saved query")
    .action(run((words: string[], options: Options) => act(io, words, options)));
  search.addHelpText("after", LANGUAGE);
  describe(search, [
    "saferun log search 'tool:stripe.* verdict:deny args.amount>50000 \"duplicate charge\"'",
    "saferun log search outcome:failed since:1d --save failures",
    "saferun log search --view failures agent:support --follow",
    "saferun log search run:run_4f0c* --json --limit 100",
  ]);
}

const LANGUAGE = `
Terms side by side must all hold, OR needs one of them, - excludes, ( ) group:
  refund  refund*  "duplicate charge"   words of arguments, results, prompts, reasons
  tool:stripe.*  verdict:deny  rule:…   type agent env outcome revision run call approval part
  args.amount>50000  args.to:*@acme.com values of arguments; in lists args.lines[].sku:A-1
  since:7d  until:2026-11-22            when; entry>=1000, where in the log`;

async function act(io: Io, words: readonly string[], options: Options): Promise<ExitCode> {
  const directory = requireStore(io, options.store);
  // First, so that a store at the default path is believed only when it is this account's.
  return withContent(io, options.store, async (store, looking, { opener }) => {
    if (options.views === true) return listViews(io, directory, options);
    if (options.forgetView !== undefined) {
      saveView(directory, options.forgetView, null);
      return EXIT.fine;
    }
    const query = queryOf(directory, words, options);
    checkQuery(query);
    if (options.save !== undefined) saveView(directory, options.save, query);
    const search = await openSearch({ directory, opener, onProgress: progress(io) });
    io.progress?.("");
    try {
      if (options.follow === true) return await follow(io, store, looking, search, query, options);
      const answer = asUsage(() => search.search(requestOf(query, options)));
      const entries = answer.items.reduce((sum, item) => sum + item.entries.length, 0);
      await looking.shows({ what: "log search", target: { query }, entries });
      return show(io, query, answer, search.behind, options);
    } finally {
      search.close();
    }
  });
}

/** @throws CommandError `query.invalid`. */
export function checkQuery(query: string): void {
  asUsage(() => parseQuery(query, Date.now()));
}

/** A mistake in a query or a cursor is wrong usage. */
function asUsage<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof SafeRunError && error.code === "query.invalid") {
      throw new CommandError(EXIT.usage, error.code, error.message);
    }
    throw error;
  }
}

function queryOf(directory: string, words: readonly string[], { view }: Options): string {
  const given = words.join(" ").trim();
  if (view === undefined) return given;
  const saved = readViews(directory).get(view);
  if (saved === undefined) {
    throw usage(`no search is saved as \`${printable(view)}\`; \`saferun log search --views\` lists them`);
  }
  return both(saved, given);
}

/** Both hold; each may be empty. */
function both(one: string, other: string): string {
  if (one === "" || other === "") return one + other;
  return `(${one}) (${other})`;
}

function requestOf(query: string, { limit, oldest, cursor }: Options): SearchRequest {
  return {
    query,
    limit,
    order: oldest === true ? "oldest" : "newest",
    now: Date.now(),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function show(io: Io, query: string, answer: SearchAnswer, behind: number, options: Options): ExitCode {
  if (options.json) printJson(io, answerJson(answer, behind));
  else io.print(answerLines(answer, query, io.style, behind).join("\n"));
  return EXIT.fine;
}

const POLL_MS = 250;
/** Numbers of items that were shown; older ones may be shown once more when they get another entry. */
const REMEMBERED = 10_000;

/** The last ones, then each call once it matches. Ends with the process. */
async function follow(
  io: Io,
  store: Store,
  looking: Looking,
  search: Search,
  query: string,
  options: Options,
): Promise<ExitCode> {
  if (options.cursor !== undefined || options.oldest === true) {
    throw usage("--follow begins with the last ones: it takes no --cursor and no --oldest");
  }
  const shown = new Set<number>();
  function print(items: SearchAnswer["items"], isFirst: boolean): void {
    const fresh = items.filter(({ seq }) => !shown.has(seq));
    for (const { seq } of fresh) shown.add(seq);
    for (const seq of shown) {
      if (shown.size <= REMEMBERED) break;
      shown.delete(seq);
    }
    if (options.json) for (const item of fresh) io.print(printableJson(JSON.stringify(itemJson(item))));
    else if (fresh.length > 0) io.print(itemLines(fresh, query, io.style, isFirst).join("\n"));
  }
  const first = search.search(requestOf(query, options));
  // One entry for all that comes.
  await looking.shows({ what: "log search --follow", target: { query } });
  print(first.items.toReversed(), true);
  let size = first.indexed;
  for (let token = await store.changeToken(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const now = await store.changeToken();
    if (now === token) continue;
    token = now;
    const { indexed } = await search.catchUp();
    for (const answer of everyPage(search, both(`entry>=${size}`, query))) print(answer.items, false);
    size = indexed;
  }
}

/** Oldest first, however long it takes. */
export function* everyPage(search: Search, query: string, now = Date.now()): Generator<SearchAnswer> {
  for (let cursor: string | undefined; ; ) {
    const request: SearchRequest = { query, limit: 1_000, order: "oldest", now };
    const answer = search.search(cursor === undefined ? request : { ...request, cursor });
    yield answer;
    if (answer.cursor === null) return;
    cursor = answer.cursor;
  }
}

/** Told on a terminal only, and only when there is much to read. */
export function progress(io: Io): (position: IndexPosition) => void {
  return ({ indexed, size }) => {
    if (size - indexed > 20_000) io.progress?.(`reading the log: entry ${indexed} of ${size}`);
  };
}

function listViews(io: Io, directory: string, { json }: Options): ExitCode {
  const views = [...readViews(directory)];
  if (json) printJson(io, { views: Object.fromEntries(views) });
  else if (views.length === 0) io.print("no saved searches: `saferun log search QUERY --save NAME`");
  else for (const [name, query] of views) io.print(`${io.style.bold(printable(name))}  ${printable(query)}`);
  return EXIT.fine;
}

function limitOf(text: string): number {
  const count = Number(text);
  if (!/^\d{1,4}$/.test(text) || count < 1 || count > 1_000)
    throw new InvalidArgumentError("it is a number from 1 to 1000");
  return count;
}
