/** What is wrong with a policy, as data: one run reports everything. */
import type { Span } from "../decision.ts";
import type { JsonObject } from "../value/json.ts";

export interface PolicyIssue {
  /** A closed word such as `unknown-key`, for programs. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** The rule it concerns. */
  readonly rule?: string;
  /** One line, lower case, the user's text in backticks. */
  readonly message: string;
  /** The nearest valid word. */
  readonly suggestion?: string;
  /** A call that shows it, in the form of a line for `saferun eval`; only findings of the analysis have one. */
  readonly example?: JsonObject;
}

export interface IssueDetails {
  readonly rule?: string | undefined;
  readonly suggestion?: string | undefined;
}

/** Collects issues; errors and warnings alike. */
export class Issues {
  readonly all: PolicyIssue[] = [];

  error(code: string, span: Span, message: string, details: IssueDetails = {}): void {
    this.#add("error", code, span, message, details);
  }

  warning(code: string, span: Span, message: string, details: IssueDetails = {}): void {
    this.#add("warning", code, span, message, details);
  }

  hasErrors(): boolean {
    return this.all.some((issue) => issue.severity === "error");
  }

  /** By file, line and column. */
  sorted(): readonly PolicyIssue[] {
    return this.all.toSorted(
      (a, b) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.code, b.code),
    );
  }

  #add(severity: "error" | "warning", code: string, span: Span, message: string, details: IssueDetails): void {
    const { file, line, column } = span;
    this.all.push({
      code,
      severity,
      file,
      line,
      column,
      message,
      ...(details.rule === undefined || details.rule === "" ? {} : { rule: details.rule }),
      ...(details.suggestion === undefined ? {} : { suggestion: details.suggestion }),
    });
  }
}

/** The order of UTF-16 code units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const SHOWN = 80;

/** A piece of the user's text, in backticks, short and on one line. */
export function quote(piece: string): string {
  const line = piece.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ").trim();
  return `\`${(line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line).toWellFormed()}\``;
}
