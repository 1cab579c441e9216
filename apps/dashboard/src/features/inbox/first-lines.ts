/** The lines that put the gate in front of an agent, by the framework that the project uses. */
interface FirstLines {
  readonly name: string;
  readonly text: string;
}

function wrapped(name: string, agent: string): FirstLines {
  return {
    name,
    text: `import { saferun } from "@saferun/sdk";

const agent = saferun.wrap(${agent}, {
  policies: ["./policies.yaml"],
});`,
  };
}

const TOOLS = `import { saferun } from "@saferun/sdk";

const tools = saferun.wrap(myTools, {
  policies: ["./policies.yaml"],
});`;

export const FIRST_LINES: Readonly<Record<string, FirstLines>> = {
  "ai-sdk": wrapped("the AI SDK", "myAgent"),
  function: { name: "plain objects and functions", text: TOOLS },
};
