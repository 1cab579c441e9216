/** What an editor offers in a policy file, by the language server that editors use and the generated schema. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { policySchemaText } from "@saferun/document";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LanguageClient, startLanguageServer } from "./language-client.ts";

const SERVER = path.join(
  path.dirname(createRequire(import.meta.url).resolve("yaml-language-server/package.json")),
  "bin/yaml-language-server",
);

const directory = mkdtempSync(path.join(tmpdir(), "saferun-editor-"));
let client: LanguageClient;
let opened = 0;

beforeAll(async () => {
  writeFileSync(path.join(directory, "policy.schema.json"), policySchemaText());
  client = startLanguageServer(SERVER);
  const rootUri = pathToFileURL(directory).href;
  const capabilities = {
    textDocument: { completion: { completionItem: { snippetSupport: false } }, publishDiagnostics: {} },
  };
  await client.request("initialize", { processId: process.pid, rootUri, capabilities });
  client.notify("initialized", {});
});

afterAll(() => {
  client.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Opened {
  readonly uri: string;
  readonly diagnostics: Promise<unknown>;
}

interface Diagnostic {
  readonly message: string;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}

/** As a person opens it: the first line names the schema. */
function open(text: string): Opened {
  const uri = pathToFileURL(path.join(directory, `policies-${++opened}.yaml`)).href;
  const diagnostics = client.next(
    "textDocument/publishDiagnostics",
    (params) => (params as { uri: string }).uri === uri,
  );
  const schema = pathToFileURL(path.join(directory, "policy.schema.json")).href;
  const content = `# yaml-language-server: $schema=${schema}\n${text}`;
  client.notify("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text: content } });
  return { uri, diagnostics };
}

const START = "saferun: policy/v1\nrules:\n  - id: refund.small\n    tool: refund\n";

/** What is offered at the end of the text. */
async function offered(text: string): Promise<string[]> {
  const { uri } = open(text);
  const lines = text.split("\n");
  const position = { line: lines.length, character: lines.at(-1)?.length ?? 0 };
  const answer = await client.request("textDocument/completion", { textDocument: { uri }, position });
  const { items } = answer as { items: readonly { readonly label: string }[] };
  return items.map(({ label }) => label);
}

describe("an editor with the generated schema [P1~]", () => {
  it("completes the keys of a rule, without the ones that stand there", async () => {
    const keys = await offered(`${START}    `);
    expect(keys).toEqual(expect.arrayContaining(["when", "then", "else", "approval", "reason", "fix", "agent", "env"]));
    expect(keys).not.toContain("tool");
  });

  it("completes the verdicts of `then`", async () => {
    expect((await offered(`${START}    then: `)).toSorted()).toEqual(["allow", "deny", "pause"]);
  });

  it("marks a wrong key and a wrong verdict, where they stand", async () => {
    const { diagnostics } = open(`${START}    tol: refund\n    then: alow\n`);
    const { diagnostics: found } = (await diagnostics) as { diagnostics: readonly Diagnostic[] };
    expect(found.map(({ range, message }) => `${range.start.line}:${range.start.character} ${message}`).sort()).toEqual(
      ["5:4 Property tol is not allowed.", '6:10 Value is not accepted. Valid values: "allow", "deny", "pause".'],
    );
  });

  it("has nothing to say about a good file", async () => {
    const { diagnostics } = open(`${START}    when: args.amount <= 100\n    then: allow\n    else: pause\n`);
    expect(await diagnostics).toMatchObject({ diagnostics: [] });
  });
});
