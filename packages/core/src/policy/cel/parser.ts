/**
 * Tokens → tree: the CEL grammar, by recursive descent, with the macros recognised on the way.
 *
 * `LIMITS.celDepth` bounds the recursion and the tree, `LIMITS.celNodes` its size, before anything else looks at it.
 */
import { LIMITS } from "../../limits.ts";
import type { BinaryOperator, Expr } from "./ast.ts";
import type { CelIssue, CelIssueCode } from "./issues.ts";
import { clip, type Token, tokenize } from "./lexer.ts";
import { BadLiteral, numberValue, quotedValue } from "./literals.ts";
import { expandMacro } from "./macros.ts";
import { ParseProblem } from "./parse-problem.ts";

export type ParsedCel =
  | { readonly ok: true; readonly expr: Expr }
  | { readonly ok: false; readonly issues: CelIssue[] };

/** Total: a tree, or why the text is none. Text over 65,536 characters is refused unread. */
export function parseCel(source: string): ParsedCel {
  if (source.length > MAX_SOURCE) {
    return failed(0, source.length, "limit", `a condition over ${MAX_SOURCE} characters: split it into several rules`);
  }
  const lexed = tokenize(source);
  if ("issue" in lexed) return { ok: false, issues: [lexed.issue] };
  try {
    return { ok: true, expr: new Parser(lexed.tokens).parse() };
  } catch (problem) {
    if (problem instanceof ParseProblem) return { ok: false, issues: [problem.issue] };
    throw problem;
  }
}

const MAX_SOURCE = 65_536;

function failed(offset: number, length: number, code: CelIssueCode, message: string): ParsedCel {
  return { ok: false, issues: [{ offset, length, code, message }] };
}

const RELATIONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">=", "in"]);
const SUMS: ReadonlySet<string> = new Set(["+", "-"]);
const PRODUCTS: ReadonlySet<string> = new Set(["*", "/", "%"]);
const KEYWORDS: ReadonlySet<string> = new Set(["true", "false", "null", "in"]);
const RESERVED: ReadonlySet<string> = new Set([
  ..."as break const continue else for function if import let loop package namespace return var void while".split(" "),
]);
/** What newcomers from other languages write, and what it is called here. */
const FOREIGN: Readonly<Record<string, string>> = {
  and: "`&&`",
  or: "`||`",
  not: "`!`",
  AND: "`&&`",
  OR: "`||`",
  NOT: "`!`",
  is: "`==`",
  if: "`condition ? a : b`",
};

const END: Token = { kind: "end", text: "", start: 0, end: 0 };

class Parser {
  private at = 0;
  private nodes = 0;
  private readonly tokens: readonly Token[];
  /** Height of the tree of each node that is no leaf: a chain such as `a.b.c` is deep without any recursion here. */
  private readonly heights = new Map<Expr, number>();
  private depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  parse(): Expr {
    if (this.current().kind === "end")
      this.fail(this.current(), "an empty condition: write an expression such as `args.amount <= 500`");
    const expr = this.expression();
    if (this.current().kind !== "end") this.unexpected("an operator such as `&&`");
    return expr;
  }

  private expression(): Expr {
    if (++this.depth > LIMITS.celDepth) this.tooDeep(this.current());
    const condition = this.or();
    let expr = condition;
    if (this.take("?")) {
      const then = this.or();
      this.expect(":", "`:` and the other value, as in `a ? b : c`");
      const otherwise = this.expression();
      const at = { start: condition.start, end: otherwise.end };
      expr = this.node({ kind: "conditional", condition, then, else: otherwise, ...at }, [condition, then, otherwise]);
    }
    this.depth--;
    return expr;
  }

  private or(): Expr {
    return this.logical("or", "||", this.and);
  }

  // Made once: ten thousand conditions have a hundred thousand operands.
  private readonly and = (): Expr => this.logical("and", "&&", this.relation);
  private readonly relation = (): Expr => this.binary(RELATIONS, this.sum);
  private readonly sum = (): Expr => this.binary(SUMS, this.product);
  private readonly product = (): Expr => this.binary(PRODUCTS, this.operand);
  private readonly operand = (): Expr => this.unary();

  private logical(kind: "and" | "or", symbol: string, operand: () => Expr): Expr {
    const first = operand();
    if (!this.isSymbol(symbol)) return first;
    const operands = [first];
    let end = first.end;
    while (this.take(symbol)) {
      const next = operand();
      operands.push(next);
      end = next.end;
    }
    return this.node({ kind, operands, start: first.start, end }, operands);
  }

  private binary(operators: ReadonlySet<string>, operand: () => Expr): Expr {
    let left = operand();
    for (;;) {
      const { kind, text } = this.current();
      if ((kind !== "symbol" && text !== "in") || !operators.has(text)) return left;
      const operator = this.next().text as BinaryOperator;
      const right = operand();
      left = this.node({ kind: "binary", operator, left, right, start: left.start, end: right.end }, [left, right]);
    }
  }

  private unary(): Expr {
    const first = this.current();
    if (this.isSymbol("!")) return this.prefixed(first, "not");
    if (!this.isSymbol("-")) return this.member();
    if (this.peekAt(1).kind === "number") {
      this.next();
      return this.member(this.number(this.next(), first));
    }
    return this.prefixed(first, "negate");
  }

  private prefixed(first: Token, kind: "not" | "negate"): Expr {
    if (++this.depth > LIMITS.celDepth) this.tooDeep(first);
    this.next();
    // `!-a` and `-!a` are not in the grammar.
    if (this.isSymbol(kind === "not" ? "-" : "!")) this.unexpected("a value");
    const operand = this.unary();
    this.depth--;
    return this.node({ kind, operand, start: first.start, end: operand.end }, [operand]);
  }

  private member(primary: Expr = this.primary()): Expr {
    let expr = primary;
    for (;;) {
      if (this.take(".")) expr = this.dotted(expr);
      else if (this.take("[")) expr = this.indexed(expr);
      else return expr;
    }
  }

  private dotted(operand: Expr): Expr {
    const optional = this.take("?");
    const name = this.next();
    if (name.kind === "quotedWord") {
      return this.select(operand, name.text.slice(1, -1), optional, name.end);
    }
    if (name.kind !== "word" || KEYWORDS.has(name.text)) this.unexpected("a field name", name);
    if (!this.isSymbol("(")) return this.select(operand, name.text, optional, name.end);
    if (optional) this.unexpected("a field name, not a call");
    return this.call(operand, name, operand.start);
  }

  private select(operand: Expr, field: string, optional: boolean, end: number): Expr {
    return this.node({ kind: "select", operand, field, optional, start: operand.start, end }, [operand]);
  }

  private indexed(operand: Expr): Expr {
    const optional = this.take("?");
    const index = this.expression();
    const { end } = this.expect("]", "`]`");
    return this.node({ kind: "index", operand, index, optional, start: operand.start, end }, [operand, index]);
  }

  private call(target: Expr | null, name: Token, start: number): Expr {
    this.expect("(", "`(`");
    const { items, end } = this.sequence(")", () => this.expression());
    const call = { kind: "call", target, name: name.text, nameStart: name.start, args: items, start, end } as const;
    const expr = expandMacro(call);
    // A macro's variable was parsed as an expression and is none.
    const parts = target === null ? items : [target, ...items];
    return this.node(expr, parts);
  }

  private primary(): Expr {
    const token = this.next();
    if (token.kind === "number") return this.number(token, null);
    if (token.kind === "quoted") return this.quoted(token);
    if (token.kind === "word") return this.word(token, false, token.start);
    switch (token.text) {
      case "(": {
        const expr = this.expression();
        this.expect(")", "`)`");
        return expr;
      }
      case "[":
        return this.list(token);
      case "{":
        return this.map(token);
      case ".": {
        const name = this.next();
        if (name.kind === "word") return this.word(name, true, token.start);
        return this.unexpected("a name", name);
      }
      default:
        return this.unexpected("a value", token);
    }
  }

  private word(token: Token, absolute: boolean, start: number): Expr {
    const { text, end } = token;
    const literal = text === "true" ? true : text === "false" ? false : text === "null" ? null : undefined;
    if (literal !== undefined && !absolute) return this.node({ kind: "literal", value: literal, start, end }, []);
    if (KEYWORDS.has(text) || RESERVED.has(text)) {
      const foreign = Object.hasOwn(FOREIGN, text) ? `: write ${FOREIGN[text]}` : "";
      return this.fail(token, `\`${text}\` is a reserved word${foreign}`);
    }
    if (this.isSymbol("(")) return this.call(null, token, start);
    this.refuseMessage(token);
    return this.node({ kind: "identifier", name: text, absolute, start, end }, []);
  }

  /** `a.b.Type{…}` builds a protocol buffer message, which policies have no use for. */
  private refuseMessage(first: Token): void {
    let ahead = 0;
    while (this.peekAt(ahead).text === "." && this.peekAt(ahead + 1).kind === "word") ahead += 2;
    if (this.peekAt(ahead).kind !== "symbol" || this.peekAt(ahead).text !== "{") return;
    throw new ParseProblem({
      offset: first.start,
      length: this.peekAt(ahead).end - first.start,
      code: "not-available",
      message: 'messages cannot be built in a condition; for a map write `{"key": value}`',
    });
  }

  private list(open: Token): Expr {
    const { items, end } = this.sequence("]", () => {
      const optional = this.take("?");
      return { optional, value: this.expression() };
    });
    return this.node(
      { kind: "list", items, start: open.start, end },
      items.map((item) => item.value),
    );
  }

  private map(open: Token): Expr {
    const { items, end } = this.sequence("}", () => {
      const optional = this.take("?");
      const key = this.expression();
      this.expect(":", '`:` and a value, as in `{"key": value}`');
      return { optional, key, value: this.expression() };
    });
    return this.node(
      { kind: "map", entries: items, start: open.start, end },
      items.flatMap((item) => [item.key, item.value]),
    );
  }

  /** Items up to `close`, separated by commas; one comma may stand at the end of a list or map. */
  private sequence<Item>(close: string, item: () => Item): { items: Item[]; end: number } {
    const items: Item[] = [];
    while (!this.isSymbol(close)) {
      items.push(item());
      if (this.take(",")) {
        if (close === ")" && this.isSymbol(close)) this.unexpected("another argument");
      } else if (!this.isSymbol(close)) {
        this.unexpected(`\`,\` or \`${close}\``);
      }
    }
    return { items, end: this.next().end };
  }

  private number(token: Token, minus: Token | null): Expr {
    const value = numberValue(token.text, minus !== null);
    if (value === null || value instanceof BadLiteral) return this.fail(token, value?.message ?? "not a number");
    return this.node({ kind: "literal", value, start: minus?.start ?? token.start, end: token.end }, []);
  }

  private quoted(token: Token): Expr {
    const value = quotedValue(token.text);
    if (value instanceof BadLiteral) {
      const offset = token.start + value.offset;
      throw new ParseProblem({ offset, length: 2, code: "syntax", message: value.message });
    }
    return this.node({ kind: "literal", value, start: token.start, end: token.end }, []);
  }

  private node(expr: Expr, children: readonly Expr[]): Expr {
    let height = 1;
    for (const child of children) height = Math.max(height, 1 + (this.heights.get(child) ?? 1));
    if (height > 1) this.heights.set(expr, height);
    if (height > LIMITS.celDepth) this.tooDeep(expr);
    if (++this.nodes > LIMITS.celNodes) {
      const message = `a condition of more than ${LIMITS.celNodes} parts: split it into several rules`;
      throw new ParseProblem({ offset: expr.start, length: expr.end - expr.start, code: "limit", message });
    }
    return expr;
  }

  private tooDeep(at: { start: number; end: number }): never {
    const message = `nesting over ${LIMITS.celDepth} levels: split the condition into several rules`;
    throw new ParseProblem({ offset: at.start, length: at.end - at.start, code: "limit", message });
  }

  private current(): Token {
    return this.peekAt(0);
  }

  private peekAt(ahead: number): Token {
    // The last token is `end`, and nothing reads past it.
    return this.tokens[this.at + ahead] ?? this.tokens.at(-1) ?? END;
  }

  private next(): Token {
    const token = this.current();
    this.at++;
    return token;
  }

  private isSymbol(text: string): boolean {
    const { kind, text: written } = this.current();
    return written === text && kind === "symbol";
  }

  private take(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.at++;
    return true;
  }

  private expect(text: string, expected: string): Token {
    return this.isSymbol(text) ? this.next() : this.unexpected(expected);
  }

  private unexpected(expected: string, token: Token = this.current()): never {
    if (token.kind === "end") return this.fail(token, `the condition ends where ${expected} was expected`);
    if (token.kind === "word" && Object.hasOwn(FOREIGN, token.text)) {
      return this.fail(token, `unexpected \`${token.text}\`: write ${FOREIGN[token.text]}`);
    }
    return this.fail(token, `unexpected \`${clip(token.text)}\`, expected ${expected}`);
  }

  private fail(token: Token, message: string): never {
    throw new ParseProblem({ offset: token.start, length: token.end - token.start, code: "syntax", message });
  }
}
