/** What stands at `when`: a callback, a piece of CEL, or a function on plain values → the condition's text. */
import { type JsonObject, type OpaqueContext, type OpaqueTest, printCel } from "@saferun/core";
import { BuildError, PlainUse, type Problem } from "./build-error.ts";
import { building, exprOf, isExpression, problemsIn } from "./builder.ts";
import { conditionContext } from "./context.ts";
import type { ArgsOfScope, ToolScope } from "./tool.ts";

/** A condition that is a function on plain values. */
export class Opaque {
  /** Stands for the function in the revision. */
  readonly version: string;
  readonly test: OpaqueTest;

  constructor(test: OpaqueTest, version: string) {
    this.test = test;
    this.version = version;
    Object.freeze(this);
  }
}

export interface OpaqueOptions<Scope> {
  /** Stands for the function in the revision: change it with every change of what the function answers. */
  readonly version: string;
  /** The tools of the rule, for the types of the arguments. */
  readonly tool?: Scope;
}

/**
 * A condition in code, for what CEL does not say. It runs in this process only, cannot be analysed, exported or sent to a
 * server, and must answer `true` or `false` at once: a throw, a promise or anything else is an error, which makes deny and pause
 * rules match and allow rules not.
 *
 * The function's text does not stand for it in the revision, because builds rewrite it and it does not show what the function
 * refers to; its `version` does.
 */
export function opaque<const Scope extends ToolScope = string>(
  test: (context: OpaqueContext<PlainArgs<ArgsOfScope<Scope>>>) => boolean,
  options: OpaqueOptions<Scope>,
): Opaque {
  // The caller's schema says what the arguments are. JavaScript may leave the options out: the rule then says what is missing.
  return new Opaque((context) => test(context as OpaqueContext<PlainArgs<ArgsOfScope<Scope>>>), options?.version);
}

type PlainArgs<Args> = unknown extends Args ? JsonObject : Args;

export type Built =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "opaque"; readonly version: string; readonly test: OpaqueTest }
  | { readonly kind: "failed"; readonly problems: readonly Problem[] };

type AnyFunction = (context: never) => unknown;

/** Total. Undefined where `value` is none of these, such as a text. */
export function build(value: unknown): Built | undefined {
  if (isExpression(value)) return printed(value);
  if (value instanceof Opaque) return opaqueOf(value);
  return typeof value === "function" ? called(value as AnyFunction) : undefined;
}

function opaqueOf(value: Opaque): Built {
  const { version } = value;
  if (typeof version !== "string" || version.trim() === "") {
    return failed("missing-key", "an opaque condition has no `version`, which stands for it in the revision");
  }
  return { kind: "opaque", version, test: value.test };
}

function called(callback: AnyFunction): Built {
  const context: object = conditionContext();
  const { result, thrown, left } = building((): unknown => callback(context as never));
  // Nobody waits for it, so that its failure must not end the process.
  if (result instanceof Promise) result.catch(() => undefined);
  if (thrown instanceof BuildError) return { kind: "failed", problems: [thrown.problem] };
  if (thrown instanceof PlainUse || typeof result === "boolean") return plain(callback, left.builds);
  if (thrown instanceof RangeError) return failed("limit", "the condition is nested too deep; split it");
  if (thrown !== undefined) {
    const why = thrown instanceof Error ? oneLine(thrown.message) : "no error";
    return failed(
      "not-a-condition",
      `the callback threw \`${why}\`; if it is a function on plain values, wrap it in \`opaque(…)\``,
    );
  }
  if (!isExpression(result)) return failed("not-a-condition", "the callback must give a condition");
  const operator = controlOperator(callback.toString());
  if (operator !== undefined) {
    return failed(
      "script-operator",
      `\`${operator}\` in a callback decides while the condition is built, and loses a side; write \`.and(…)\`, \`.or(…)\`, \`.not()\``,
    );
  }
  const built = printed(result);
  const last = exprOf(result);
  const [dropped] = [...left.unused].filter((expr) => expr !== last);
  if (dropped === undefined) return built;
  const text = oneLine(printCel(dropped));
  return failed(
    "dropped-condition",
    `\`${text}\` is not part of the condition; join it with \`.and(…)\`, or remove it`,
  );
}

/** A plain function has no version: its text stands for it, and changes with any build that rewrites it. */
function plain(callback: AnyFunction, builds: boolean): Built {
  if (!builds) return { kind: "opaque", version: callback.toString(), test: callback as OpaqueTest };
  return failed(
    "not-a-condition",
    "the callback builds conditions and uses one as a plain value; write `.gt(…)`, `.eq(…)`, `.not()` for `>`, `===`, `!`",
  );
}

function printed(value: object): Built {
  try {
    const expr = exprOf(value);
    const problems = problemsIn(expr);
    return problems.length > 0 ? { kind: "failed", problems } : { kind: "text", text: printCel(expr) };
  } catch {
    return failed("limit", "the condition is nested too deep; split it");
  }
}

function failed(code: string, message: string): Built {
  return { kind: "failed", problems: [{ code, message }] };
}

/** Comments, texts, and patterns: what stands in them is no operator. */
const NO_CODE =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|(?<=[(,=:[]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
/** `!0` and `!1` are what builds make of `true` and `false`. */
const CONTROL = /\|\||&&|\?\?|\?(?!\.)|!(?![=01])|\b(?:if|switch|while|for)\b(?=\s*\()/;

/** An operator that tests an expression for being there, which it always is. */
function controlOperator(source: string): string | undefined {
  return CONTROL.exec(source.replace(NO_CODE, "0"))?.[0];
}

function oneLine(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f`]+/g, " ").trim();
  return line.length > 80 ? `${line.slice(0, 80)}…`.toWellFormed() : line;
}
