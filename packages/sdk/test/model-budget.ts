/** The code of docs/budgets.md, as it stands there. */
import { type LanguageModel, ToolLoopAgent } from "ai";
import { SafeRunError, saferun } from "../src/index.ts";

// #region answer
export async function answer(model: LanguageModel, prompt: string): Promise<string> {
  const agent = saferun.wrap(new ToolLoopAgent({ model, maxOutputTokens: 2_000 }), {
    policies: ["./policies.yaml"],
    // Dollars for a million tokens, above the built-in table.
    prices: { "openai:house-model": { input: "0.25", output: "2.00", cacheRead: "0.025" } },
  });
  try {
    return (await agent.generate({ prompt })).text;
  } catch (error) {
    if (error instanceof SafeRunError && error.code === "budget.exhausted") return "Not today: the budget is used up.";
    throw error;
  }
}
// #endregion
