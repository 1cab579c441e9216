/** `saferun init`: a first policy from what is known of the tools. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Json, type JsonObject, runPolicyTests } from "@saferun/core";
import { formatIssue, loadPolicies, parsePlainYaml } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { type Command, Option } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed, usage } from "../exit.ts";
import { mapOf } from "../init/argument-schema.ts";
import type { Found, FoundTool } from "../init/found-tool.ts";
import { toolsOfModule } from "../init/from-ai-sdk.ts";
import { toolsOfMcp } from "../init/from-mcp.ts";
import { toolsOfOpenApi } from "../init/from-openapi.ts";
import { toolsOfStore } from "../init/from-store.ts";
import { listServerTools } from "../init/mcp-server.ts";
import { type Written, writePolicy } from "../init/write-policy.ts";
import { withSchema } from "../init/written-schema.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { storeOption, withUnsealedStore } from "../store.ts";

interface Options extends Shared {
  readonly from?: "mcp" | "ai-sdk" | "openapi" | "store";
  readonly mcp?: boolean;
  readonly name: string;
  readonly store: string;
  readonly out: string;
}

/** Where `saferun check` and `saferun test` look too. */
const DEFAULT_OUT = "policies.yaml";

export function registerInit(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("init")
    .summary("write a first policy from the tools that there are")
    .description(
      "Writes a policy that denies what it does not name, lets run what surely only reads, and asks a person for the rest,\n" +
        "with the schema of each tool's arguments and a test. What a server says of itself (`readOnlyHint`) is not believed; the HTTP method of an\n" +
        "OpenAPI operation is. A file that is there is not overwritten. Without a source: an empty policy to fill in.",
    )
    .argument("[source...]", "the file to read, or with --mcp the command of the server")
    .addOption(
      new Option(
        "--from <kind>",
        "mcp (an answer to `tools/list`), ai-sdk (a module that exports `tools`), openapi, store",
      ).choices(["mcp", "ai-sdk", "openapi", "store"]),
    )
    .option("--mcp", "start an MCP server by the command after --, and ask it")
    .option("--name <connection>", "what the gate calls the MCP server: tools are then `NAME.TOOL`", "")
    .addOption(storeOption())
    .option("-o, --out <file>", "where to write; - is standard output", DEFAULT_OUT)
    .action(run((source: string[], options: Options) => init(io, source, options)));
  describe(command, [
    "saferun init --from ai-sdk ./tools.ts",
    "saferun init --from openapi api.yaml --out policies/api.yaml",
    "saferun init --mcp --name files -- npx -y @modelcontextprotocol/server-filesystem .",
    "saferun init --from store",
  ]);
}

async function init(io: Io, source: readonly string[], options: Options): Promise<ExitCode> {
  const { source: from, tools: known } = await find(io, source, options);
  const found = { source: from, tools: known.map(withSchema) };
  const written = writePolicy(found);
  const revision = proven(written.text, options.out);
  if (options.out === "-") io.print(written.text.trimEnd());
  else save(written.text, resolve(io.cwd, options.out), options.out);
  const { leftOut } = written;
  const tools = found.tools.filter(({ name }) => !leftOut.some((one) => one.name === name));
  if (options.json && options.out !== "-") {
    const kinds = tools.map(({ name, kind, why, schema }) => ({ name, kind, why, schema: schema !== undefined }));
    printJson(io, { file: options.out, revision, tools: kinds, left_out: leftOut });
  } else tell(io, options, tools, leftOut);
  return EXIT.fine;
}

async function find(io: Io, source: readonly string[], options: Options): Promise<Found> {
  const { from, mcp, name, store } = options;
  if (mcp === true) {
    if (from !== undefined && from !== "mcp") throw usage("`--mcp` starts an MCP server; leave `--from` out");
    if (source.length === 0) throw usage("`--mcp` needs the server's command, as in `--mcp -- npx -y some-server`");
    const tools = toolsOfMcp(await listServerTools(source, io.cwd), name);
    return { source: `the MCP server ${source.join(" ")}`, tools };
  }
  if (from === undefined) {
    if (source.length > 0) throw usage("say with `--from` what this is: mcp, ai-sdk, openapi or store");
    return { source: "nothing: no tools are known yet", tools: [] };
  }
  if (from === "store") {
    if (source.length > 0) throw usage("`--from store` reads the store that `--store` names");
    return { source: "the calls in the log", tools: await withUnsealedStore(io, store, toolsOfStore) };
  }
  const [path, ...others] = source;
  if (path === undefined || others.length > 0) throw usage(`\`--from ${from}\` takes one file`);
  return { source: path, tools: await toolsOfFile(io, from, path, name) };
}

async function toolsOfFile(
  io: Io,
  from: "mcp" | "ai-sdk" | "openapi",
  path: string,
  name: string,
): Promise<readonly FoundTool[]> {
  switch (from) {
    case "ai-sdk":
      return toolsOfModule(path, io.cwd);
    case "mcp":
      return toolsOfMcp(readData(io, path), name);
    case "openapi":
      return toolsOfOpenApi(mapOf(readData(io, path)));
  }
}

/** JSON or YAML. */
function readData(io: Io, path: string): Json {
  const shown = `\`${printable(path)}\``;
  let text: string;
  try {
    text = readFileSync(resolve(io.cwd, path), "utf8");
  } catch {
    throw usage(`there is no file ${shown} that can be read`);
  }
  try {
    // Through JSON, so that nothing of YAML's own is left in it.
    const data: JsonObject = { data: parsePlainYaml(text) as Json };
    return (JSON.parse(JSON.stringify(data)) as { readonly data?: Json }).data ?? null;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw failed("init.source", `${shown} cannot be read as JSON or YAML: ${printable(why)}`);
  }
}

/** What is handed out loads without a warning and passes its own tests. @throws Error otherwise, which is a bug. */
function proven(text: string, file: string): string {
  const loaded = loadPolicies([{ file, text }], { hash: nodeHash });
  const issues = loaded.ok ? loaded.warnings : loaded.issues;
  if (!loaded.ok || issues.length > 0)
    throw new Error(`the written policy has issues: ${issues.map((one) => formatIssue(one)).join("; ")}`);
  const wrong = runPolicyTests(loaded.policies, loaded.documents, nodeHash).filter(({ ok }) => !ok);
  if (wrong.length > 0)
    throw new Error(`the written policy fails its own test \`${wrong[0]?.name}\`: ${wrong[0]?.failures.join("; ")}`);
  return loaded.policies.revision;
}

function save(text: string, path: string, shown: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const why =
      code === "EEXIST"
        ? "is there already and is not overwritten; name another with `--out`"
        : `cannot be written (${code})`;
    throw failed("init.output", `\`${printable(shown)}\` ${why}`);
  }
}

function tell(io: Io, { out }: Options, tools: readonly FoundTool[], leftOut: Written["leftOut"]): void {
  const reads = tools.filter(({ kind }) => kind === "read").length;
  const say = out === "-" ? io.warn : io.print;
  say(
    `${out === "-" ? "written" : printable(out)}: ${tools.length} ${tools.length === 1 ? "tool" : "tools"}, ${reads} may run, ${tools.length - reads} ask a person; the rest is denied`,
  );
  for (const { name, why } of leftOut) io.warn(`left out \`${printable(name)}\`: ${printable(why)}`);
  const named = out === DEFAULT_OUT ? "" : ` ${printable(out)}`;
  if (out !== "-") say(`next: read it, correct the kinds, then \`saferun check${named}\` and \`saferun test${named}\``);
}
