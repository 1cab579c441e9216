/** `change:` at load: each entry is one change of one argument, and no two rules write the same one. */
import { argumentPath } from "../argument-path.ts";
import { parseCel } from "../cel/index.ts";
import type { ChangeSource } from "../format.ts";
import { type Issues, quote } from "../issue.ts";
import type { ChangeModel } from "../model.ts";
import { compilePattern } from "../regex/match.ts";
import type { TextPattern } from "../schema/types.ts";
import type { Located } from "../shape.ts";
import { checkValue, type ExpressionScope } from "../value-expression.ts";

const VERBS = ["clamp", "drop", "set", "redact"] as const;
type Verb = (typeof VERBS)[number];

/** Keys that belong to one verb. */
const BELONGS: Readonly<Record<string, Verb>> = {
  min: "clamp",
  max: "clamp",
  missing: "clamp",
  to: "set",
  kinds: "redact",
  match: "redact",
  with: "redact",
};

const REDACTED = "[redacted]";

/** Complete only where no issue was added. */
export function checkChanges(
  sources: readonly ChangeSource[],
  scope: ExpressionScope,
  issues: Issues,
  rule: string,
): readonly ChangeModel[] {
  return sources.flatMap((source) => new ChangeChecker(source, issues, rule).check(scope) ?? []);
}

class ChangeChecker {
  readonly #source: ChangeSource;
  readonly #issues: Issues;
  readonly #rule: string;

  constructor(source: ChangeSource, issues: Issues, rule: string) {
    this.#source = source;
    this.#issues = issues;
    this.#rule = rule;
  }

  check(scope: ExpressionScope): ChangeModel | undefined {
    const verbs = VERBS.filter((key) => this.#source[key] !== undefined);
    const [verb] = verbs;
    if (verb === undefined || verbs.length > 1) {
      return this.#refuse("bad-value", "a change needs exactly one of `clamp`, `drop`, `set`, `redact`");
    }
    for (const [key, owner] of Object.entries(BELONGS)) {
      if (owner !== verb && Object.hasOwn(this.#source, key)) {
        this.#refuse("bad-value", `\`${key}\` belongs to \`${owner}\`, not to \`${verb}\`; remove it`);
      }
    }
    const written = this.#source[verb];
    const path = written === undefined ? null : argumentPath(written.value);
    if (written === undefined || path === null) return this.#refuse("bad-name", "the path is no argument's path");
    const at = { path, span: written.span };
    switch (verb) {
      case "clamp":
        return this.#clamp(at);
      case "drop":
        return { ...at, kind: "drop" };
      case "set":
        return this.#set(at, scope);
      case "redact":
        return this.#redact(at);
    }
  }

  #clamp(at: Pick<ChangeModel, "path" | "span">): ChangeModel | undefined {
    const { min = null, max = null, missing = "error" } = this.#source;
    if (min === null && max === null) return this.#refuse("missing-key", "`clamp` needs `min`, `max` or both");
    if (min !== null && max !== null && min > max) return this.#refuse("bad-value", "`min` is above `max`");
    return { ...at, kind: "clamp", min, max, missing };
  }

  #set(at: Pick<ChangeModel, "path" | "span">, scope: ExpressionScope): ChangeModel | undefined {
    const { to } = this.#source;
    if (to === undefined) return this.#refuse("missing-key", "`set` needs `to`, the value in CEL");
    const value = checkValue(to, scope, this.#issues, { rule: this.#rule });
    return value === null ? undefined : { ...at, kind: "set", to: value };
  }

  #redact(at: Pick<ChangeModel, "path" | "span">): ChangeModel | undefined {
    const { kinds = [], match, with: instead = REDACTED } = this.#source;
    if (kinds.length === 0 && match === undefined) {
      return this.#refuse("missing-key", "`redact` needs `kinds`, `match` or both");
    }
    const pattern = match === undefined ? null : this.#pattern(match);
    return pattern === undefined ? undefined : { ...at, kind: "redact", kinds, match: pattern, with: instead };
  }

  /** A CEL text, so that backslashes are written as everywhere else in conditions. */
  #pattern(match: Located): TextPattern | undefined {
    const parsed = match.node.opaque === undefined ? parseCel(match.value) : undefined;
    const literal = parsed?.ok && parsed.expr.kind === "literal" ? parsed.expr.value : undefined;
    if (typeof literal !== "string") {
      return this.#refuse(
        "bad-value",
        `\`match\` must be a CEL text such as \`r"[0-9]{9}"\`, not ${quote(match.value)}`,
      );
    }
    const compiled = compilePattern(literal);
    if (!compiled.ok) return this.#refuse("invalid-pattern", `${quote(literal)}: ${compiled.issue.message}`);
    return { text: literal, compiled: compiled.pattern };
  }

  #refuse(code: string, message: string): undefined {
    this.#issues.error(code, this.#source.span, message, { rule: this.#rule });
    return undefined;
  }
}
