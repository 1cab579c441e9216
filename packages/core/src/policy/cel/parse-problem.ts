import type { CelIssue } from "./issues.ts";

/** Leaves the descent at the first problem; `parseCel` turns it into an issue. */
export class ParseProblem extends Error {
  readonly issue: CelIssue;
  constructor(issue: CelIssue) {
    super(issue.message);
    this.issue = issue;
  }
}
