/** Asks a model and waits for its answer, until it is killed: `node asking-process.ts URL STORE POLICIES`. */
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
import { saferun } from "../src/index.ts";

const [url = "", store = "", policies = ""] = process.argv.slice(2);
const model = saferun.model(createOpenAI({ baseURL: url, apiKey: "scripted" }).chat("house"), {
  policies: [policies],
  store,
  environment: "prod",
  prices: { "openai:house": { input: "0", output: "1000" } },
});
await generateText({ model, prompt: "go", maxOutputTokens: 100, maxRetries: 0 });
