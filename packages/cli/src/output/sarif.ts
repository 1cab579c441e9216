/** Issues of policy files as SARIF 2.1.0: what code hosts show beside the lines of a change. */
import { isAbsolute, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { ANALYSIS_CODES, type AnalysisCode, type PolicyIssue } from "@saferun/core";

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** One run; every code that occurs is a rule of it, in alphabetical order. */
export function sarifOf(issues: readonly PolicyIssue[], version: string): object {
  const codes = [...new Set(issues.map(({ code }) => code))].sort();
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "saferun", version, rules: codes.map((code) => ruleOf(code, issues)) } },
        columnKind: "utf16CodeUnits",
        results: issues.map((issue) => resultOf(issue, codes.indexOf(issue.code))),
      },
    ],
  };
}

function ruleOf(code: string, issues: readonly PolicyIssue[]): object {
  const text = isAnalysis(code) ? ANALYSIS_CODES[code] : "The policy file does not load with this.";
  const page = isAnalysis(code) ? `docs/analysis.md#${code}` : "docs/policies.md";
  const level = issues.some((issue) => issue.code === code && issue.severity === "error") ? "error" : "warning";
  return {
    id: code,
    shortDescription: { text },
    help: { text: `${text} See ${page}.`, markdown: `${text} See \`${page}\`.` },
    defaultConfiguration: { level },
  };
}

function isAnalysis(code: string): code is AnalysisCode {
  return Object.hasOwn(ANALYSIS_CODES, code);
}

function resultOf(issue: PolicyIssue, ruleIndex: number): object {
  const { code, severity, file, line, column, message, rule, suggestion, example } = issue;
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
    properties: {
      ...(rule === undefined ? {} : { rule }),
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(example === undefined ? {} : { example }),
    },
  };
}

/** Relative to where the command ran, as the names of the files are. */
function uriOf(file: string): string {
  return isAbsolute(file) ? pathToFileURL(file).href : file.split(sep).map(encodeURIComponent).join("/");
}
