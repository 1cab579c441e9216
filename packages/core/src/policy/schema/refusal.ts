/** What an agent is told of arguments that do not fit. */
import type { JsonObject } from "../../value/json.ts";
import type { ArgumentIssue, ArgumentValidator } from "./types.ts";

/** Null when the arguments fit. Total: a validator that throws, or that answers anything but a list, refuses. */
export function refusalText(validators: readonly ArgumentValidator[], args: JsonObject): string | null {
  for (const validator of validators) {
    const issues = judged(validator, args);
    if (issues.length > 0) return reasonOf(issues);
  }
  return null;
}

const FAILED: readonly ArgumentIssue[] = [{ path: "", message: "could not be judged by the tool's validator" }];

function judged(validator: ArgumentValidator, args: JsonObject): readonly ArgumentIssue[] {
  try {
    const issues: unknown = validator.validate(args);
    return Array.isArray(issues) ? issues : FAILED;
  } catch {
    // Its message may hold values of the call.
    return FAILED;
  }
}

/** For the agent: where, and what was expected there. Never what stood there. */
function reasonOf(issues: readonly ArgumentIssue[]): string {
  const said = issues
    .slice(0, MOST_SAID)
    .map(({ path, message }) => (path === "" ? `they ${message}` : `\`${path}\` ${message}`));
  const more = issues.length > MOST_SAID ? "; and more" : "";
  return `The arguments do not fit the tool's schema: ${said.join("; ")}${more}.`;
}

const MOST_SAID = 5;
