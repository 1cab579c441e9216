/**
 * The lines that put the gate in front of an agent, by what the project is built with. Each of them is compiled and run
 * in a test: what is said to work here works.
 */
export interface Project {
  readonly framework: string | null;
  readonly language: "typescript" | "javascript";
  readonly modules: "import" | "require";
  readonly installer: "npm" | "pnpm" | "yarn" | "bun";
  readonly sdk: "installed" | "missing" | "unpublished";
  readonly policies: readonly string[];
  readonly store: string | null;
}

export interface FirstLines {
  readonly text: string;
  /** What to do with them, and what they do not reach. */
  readonly about: readonly string[];
}

interface Kind {
  readonly name: string;
  lines(project: Project): FirstLines;
}

/** The first is what is shown where no framework is known. */
export const KINDS: Readonly<Record<string, Kind>> = {
  functions: {
    name: "your own functions",
    lines: (project) => ({
      text: gatedFunctions(project),
      about: ["Call `gated.refund(args)` wherever your agent called `refund(args)`: with one object of arguments."],
    }),
  },
  "ai-sdk": {
    name: "AI SDK: an agent (ToolLoopAgent)",
    lines: (project) => ({
      text: [head(project), `const agent = saferun.wrap(myAgent, ${options(project)});`].join("\n\n"),
      about: ["Use `agent` instead of `myAgent`, everywhere. AI SDK 6 and 7."],
    }),
  },
  "ai-sdk-functions": {
    name: "AI SDK: generateText and streamText",
    lines: (project) => ({
      text: [head(project), `const tools = saferun.tools(myTools, ${options(project)});`].join("\n\n"),
      about: [
        "Hand over `tools` instead of `myTools`. Around it, `saferun.run({ prompt }, () => generateText(…))` makes one run of all its calls.",
      ],
    }),
  },
  "openai-agents": withoutAdapter("OpenAI Agents", {
    definition: "const refundTool = tool({ ...definition, execute: (args) => gated.refund(args) });",
    open: "hosted tools and the tools of MCP servers",
  }),
  langchain: withoutAdapter("LangChain", {
    definition: "const refundTool = tool((args) => gated.refund(args), definition);",
    open: "tools that a package brings along",
  }),
  langgraph: withoutAdapter("LangGraph", {
    definition: "const refundTool = tool((args) => gated.refund(args), definition);",
    open: "tools that a package brings along, and what nodes do themselves",
  }),
  mastra: withoutAdapter("Mastra", {
    definition: "const refundTool = createTool({ ...definition, execute: (args) => gated.refund(args) });",
    open: "the tools of MCP servers, of the memory and of a workspace",
  }),
  "claude-agent-sdk": withoutAdapter("the Claude Agent SDK", {
    definition: `const refundTool = tool("refund", description, schema, async (args) => ({
  content: [{ type: "text", text: JSON.stringify(await gated.refund(args)) }],
}));`,
    open: "its built-in tools, such as `Bash` and `Edit`: leave them off, or nothing stands before them",
  }),
  mcp: {
    name: "MCP clients",
    lines: (project) => ({
      text: [
        head(project),
        `const gated = saferun.tools({
  refund: (args${project.language === "typescript" ? ": Record<string, unknown>" : ""}) => client.callTool({ name: "refund", arguments: args }),
}, ${options(project)});`,
      ].join("\n\n"),
      about: [
        "SafeRun has no adapter for MCP clients yet. Until then: one function for each tool, called instead of `client.callTool`.",
        "Not gated are tools that have none.",
      ],
    }),
  },
  openai: withoutAdapter("raw OpenAI clients", { open: "tools that run at the provider" }),
  anthropic: withoutAdapter("raw Anthropic clients", { open: "tools that run at the provider" }),
};

/** Whatever framework it is, its tools end in functions, and functions can be gated today. */
function withoutAdapter(
  name: string,
  { definition, open }: { readonly definition?: string; readonly open: string },
): Kind {
  return {
    name,
    lines: (project) => ({
      text: [gatedFunctions(project), ...(definition === undefined ? [] : [definition])].join("\n"),
      about: [
        `SafeRun has no adapter for ${name} yet. Until then: gate the functions behind the tools, and call ${definition === undefined ? "`gated.refund(args)` where your loop runs what the model asked for" : "those in the tools, which stay as they are otherwise"}.`,
        `Not gated are ${open}. Prompts are not recorded, and what models cost is not counted.`,
      ],
    }),
  };
}

export function kindOf({ framework }: Project): string {
  return framework !== null && Object.hasOwn(KINDS, framework) ? framework : "functions";
}

/** Undefined where there is nothing to install, or nothing to install it from. */
export function installLine({ sdk, installer }: Project): string | undefined {
  if (sdk !== "missing") return undefined;
  return `${installer} ${installer === "npm" ? "install" : "add"} @saferun/sdk`;
}

const RUNNERS: Readonly<Record<Project["installer"], string>> = {
  npm: "npx saferun",
  pnpm: "pnpm exec saferun",
  yarn: "yarn saferun",
  bun: "bunx saferun",
};

export function initLine({ installer }: Project, kind: string): string {
  return `${RUNNERS[installer]} init${kind.startsWith("ai-sdk") ? " --from ai-sdk ./tools.ts" : ""}`;
}

function gatedFunctions(project: Project): string {
  return [head(project), `const gated = saferun.tools({ refund }, ${options(project)});`].join("\n\n");
}

function head({ modules }: Project): string {
  return modules === "import"
    ? 'import { saferun } from "@saferun/sdk";'
    : 'const { saferun } = require("@saferun/sdk");';
}

function options({ policies, store }: Project): string {
  const files = policies.filter((file) => /\.ya?ml$/.test(file));
  const listed = (files.length === 0 ? ["./policies.yaml"] : files).map((file) => JSON.stringify(file)).join(", ");
  return ["{", `  policies: [${listed}],`, ...(store === null ? [] : [`  store: ${JSON.stringify(store)},`]), "}"].join(
    "\n",
  );
}
