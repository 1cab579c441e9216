/** Which agent framework this project uses, so that the first lines to paste are the right ones. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

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

/** Null where there is no package.json, or none of them in it. */
export function frameworkOf(directory: string): string | null {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    if (typeof manifest !== "object" || manifest === null) return null;
    const used = ["dependencies", "devDependencies"].flatMap((key) => {
      const list: unknown = (manifest as Record<string, unknown>)[key];
      return typeof list === "object" && list !== null ? Object.keys(list) : [];
    });
    return FRAMEWORKS.find(([name]) => used.includes(name))?.[1] ?? null;
  } catch {
    return null;
  }
}
