/** A process of its own that asks about one call and ends. Arguments: the policies, the store's directory, the tool, its arguments as JSON. */
import { saferun } from "@saferun/sdk";

const [policies = "", store = "", tool = "", args = "{}"] = process.argv.slice(2);
const agent = saferun.wrap(
  {
    tools: {
      [tool]: (called: unknown) => {
        throw new Error(`nobody has approved ${JSON.stringify(called)}`);
      },
    },
  },
  { policies: [policies], store, agent: "support-bot", environment: "prod", onPause: () => process.exit(0) },
);
await agent.tools[tool]?.(JSON.parse(args));
