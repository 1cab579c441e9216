/** What this project is built with, so that the first lines to paste are the right ones for it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { ServerPorts } from "@saferun/server";
import { DEFAULT_STORE } from "../../store.ts";

type Project = ReturnType<ServerPorts["project"]>;
type Installer = Project["installer"];

/** By the package that a project of that framework depends on; the more particular first. */
const FRAMEWORKS = [
  ["@mastra/core", "mastra"],
  ["@openai/agents", "openai-agents"],
  ["@langchain/langgraph", "langgraph"],
  ["langchain", "langchain"],
  ["@anthropic-ai/claude-agent-sdk", "claude-agent-sdk"],
  ["@modelcontextprotocol/client", "mcp"],
  ["@modelcontextprotocol/sdk", "mcp"],
  ["ai", "ai-sdk"],
  ["openai", "openai"],
  ["@anthropic-ai/sdk", "anthropic"],
] as const;

const LOCK_FILES: readonly (readonly [file: string, installer: Installer])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
];

export interface ProjectPlace {
  /** The project's directory. */
  readonly cwd: string;
  /** The store's directory. */
  readonly store: string;
  /** The policy files that are found; empty where there are none. */
  policies(): readonly string[];
  /** Of this SafeRun: `0.0.0` was never published. */
  readonly version: string;
}

/** Read anew each time: while somebody looks at the page they write the very files that this is about. */
export function projectOf({ cwd, store, policies, version }: ProjectPlace): Project {
  const manifest = readManifest(cwd);
  const used = new Set(["dependencies", "devDependencies"].flatMap((key) => Object.keys(mapIn(manifest, key))));
  const typescript = used.has("typescript") || existsSync(join(cwd, "tsconfig.json"));
  return {
    framework: FRAMEWORKS.find(([name]) => used.has(name))?.[1] ?? null,
    language: typescript ? "typescript" : "javascript",
    // Without a package.json Node tells by the syntax. TypeScript is written with `import` whatever becomes of it.
    modules: typescript || manifest === undefined || manifest.type === "module" ? "import" : "require",
    installer: installerOf(cwd, manifest),
    sdk: foundUp(cwd, join("node_modules", "@saferun", "sdk", "package.json"))
      ? "installed"
      : version === "0.0.0"
        ? "unpublished"
        : "missing",
    policies: policies().map((file) => pathIn(cwd, file)),
    store: resolve(cwd, store) === resolve(cwd, DEFAULT_STORE) ? null : pathIn(cwd, store),
  };
}

/** As its lock file says, beside it or in the workspace around it; else as its package.json does. */
function installerOf(cwd: string, manifest: Fields | undefined): Installer {
  for (const directory of upFrom(cwd)) {
    const lock = LOCK_FILES.find(([file]) => existsSync(join(directory, file)));
    if (lock !== undefined) return lock[1];
  }
  const named = typeof manifest?.packageManager === "string" ? manifest.packageManager.split("@")[0] : undefined;
  return LOCK_FILES.find(([, installer]) => installer === named)?.[1] ?? "npm";
}

function foundUp(cwd: string, file: string): boolean {
  return upFrom(cwd).some((directory) => existsSync(join(directory, file)));
}

function upFrom(directory: string): string[] {
  const above = dirname(directory);
  return above === directory ? [directory] : [directory, ...upFrom(above)];
}

/** As somebody writes it in a program of this directory. */
function pathIn(cwd: string, path: string): string {
  const short = relative(cwd, resolve(cwd, path)).split(sep).join("/");
  return short.startsWith("../") || short === "" ? resolve(cwd, path) : `./${short}`;
}

type Fields = Readonly<Record<string, unknown>>;

/** Undefined where there is no package.json that can be read. */
function readManifest(directory: string): Fields | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    return typeof manifest === "object" && manifest !== null ? (manifest as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function mapIn(manifest: Fields | undefined, key: string): object {
  const value = manifest?.[key];
  return typeof value === "object" && value !== null ? value : {};
}
