/**
 * Static analysis of checked policies. Sound and not complete: every finding carries a call on which the policies were really
 * evaluated and did what the finding says; what the analysis does not understand it passes over in silence.
 */
import type { PolicyIssue } from "../issue.ts";
import { compareText } from "../issue.ts";
import type { PolicyModel, RuleModel } from "../model.ts";
import { argumentUse } from "./argument-use.ts";
import { anyAttempts } from "./attempts.ts";
import { budgets } from "./budgets.ts";
import { coverage } from "./coverage.ts";
import { deadRules } from "./dead-rules.ts";
import { Analysis, type Finding } from "./findings.ts";
import { freeDenies } from "./free-denies.ts";
import { looseRules } from "./loose-rules.ts";
import { soundPart } from "./sound-part.ts";
import { splitRoutes } from "./split-routes.ts";
import { textTests } from "./text-tests.ts";
import { exampleJson } from "./trial.ts";

/**
 * Warnings, by file, line and column; `example` is a call in the form that `saferun eval` reads.
 *
 * `errors` are what the check of the same model found: rules with an error are left out, all others are analysed without
 * them. Pure and total.
 */
export function analyse(model: PolicyModel, errors: readonly PolicyIssue[] = []): readonly PolicyIssue[] {
  const analysis = new Analysis(soundPart(model, errors));
  const findings = [
    ...deadRules(analysis),
    ...looseRules(analysis),
    ...textTests(analysis),
    ...argumentUse(analysis),
    ...coverage(analysis),
    ...budgets(analysis),
    ...freeDenies(analysis),
    ...splitRoutes(analysis),
    ...anyAttempts(analysis),
  ];
  return findings
    .map(issueOf)
    .sort(
      (a, b) =>
        compareText(a.file, b.file) ||
        a.line - b.line ||
        a.column - b.column ||
        compareText(a.code, b.code) ||
        compareText(a.message, b.message),
    );
}

function issueOf({ code, span, rule, message, example }: Finding): PolicyIssue {
  const { file, line, column } = span;
  return {
    code,
    severity: "warning",
    file,
    line,
    column,
    message,
    ...(rule === null ? {} : { rule: rule.id }),
    example: exampleJson(example, readsNow(rule)),
  };
}

function readsNow(rule: RuleModel | null): boolean {
  return rule?.condition?.reads.some(([root]) => root === "now") === true;
}
