/** Who may call what, as JSON for programs and pages. */
import type { ToolAccess } from "@saferun/core";

export function accessJson({ agent, environment, tool, answers }: ToolAccess) {
  return {
    agent,
    environment,
    tool,
    answers: answers.map(({ verdict, by, would, principal, example }) => ({
      verdict,
      by: [...by],
      would: would === undefined ? null : { verdict: would.verdict, by: [...would.by] },
      principal: principal ?? null,
      example,
    })),
  };
}
