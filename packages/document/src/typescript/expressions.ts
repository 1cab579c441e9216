/**
 * The types of conditions under construction. They exist for the type checker only: at run time every expression is the same
 * kind of object (`builder.ts`), and a checked condition is CEL like any other.
 */
declare const KIND: unique symbol;

/** What a callback may compare with: a value known now, or an expression. */
type OneOf<Value, Expression> = Value | Expression | AnyExpr;

type Zone = [zone?: string];

interface Equality<Operand> {
  /** `==` */
  eq(other: Operand): Condition;
  /** `!=` */
  ne(other: Operand): Condition;
}

interface Ordering<Operand> extends Equality<Operand> {
  /** `<` */
  lt(other: Operand): Condition;
  /** `<=` */
  le(other: Operand): Condition;
  /** `>` */
  gt(other: Operand): Condition;
  /** `>=` */
  ge(other: Operand): Condition;
}

/** True or false. JavaScript's own `&&`, `||`, `!`, `?:` and `if` decide while building, and are refused. */
export interface Condition extends Equality<OneOf<boolean, Condition>> {
  readonly [KIND]: "condition";
  /** `&&`, in one chain. */
  and(...others: readonly (Condition | AnyExpr)[]): Condition;
  /** `||`, in one chain. */
  or(...others: readonly (Condition | AnyExpr)[]): Condition;
  /** `!` */
  not(): Condition;
  /** The value, or this where the field is absent. */
  orValue(otherwise: boolean): Condition;
}

/** A text; `Values` are those that its schema allows. */
export interface TextExpr<Values extends string = string> extends Ordering<OneOf<Values, TextExpr>> {
  readonly [KIND]: "text";
  in(list: readonly Values[] | ListExpr<TextExpr> | AnyExpr): Condition;
  startsWith(part: OneOf<string, TextExpr>): Condition;
  endsWith(part: OneOf<string, TextExpr>): Condition;
  contains(part: OneOf<string, TextExpr>): Condition;
  /** A pattern in RE2 syntax; a regular expression without flags stands for its source. */
  matches(pattern: string | RegExp): Condition;
  /** Characters, not code units. */
  size(): NumberExpr;
  lowerAscii(): TextExpr;
  upperAscii(): TextExpr;
  trim(): TextExpr;
  split(separator: OneOf<string, TextExpr>): ListExpr<TextExpr>;
  replace(old: OneOf<string, TextExpr>, by: OneOf<string, TextExpr>): TextExpr;
  indexOf(part: OneOf<string, TextExpr>): NumberExpr;
  substring(start: OneOf<number, NumberExpr>, end?: OneOf<number, NumberExpr>): TextExpr;
  charAt(position: OneOf<number, NumberExpr>): TextExpr;
  /** `+` */
  add(other: OneOf<string, TextExpr>): TextExpr;
  orValue(otherwise: string): TextExpr;
}

export interface NumberExpr extends Ordering<OneOf<number | bigint, NumberExpr>> {
  readonly [KIND]: "number";
  in(list: readonly number[] | ListExpr<NumberExpr> | AnyExpr): Condition;
  /** `+` */
  add(other: OneOf<number, NumberExpr>): NumberExpr;
  /** `-` */
  sub(other: OneOf<number, NumberExpr>): NumberExpr;
  /** `*` */
  mul(other: OneOf<number, NumberExpr>): NumberExpr;
  /** `/`; two integers give an integer. */
  div(other: OneOf<number, NumberExpr>): NumberExpr;
  /** `%` */
  mod(other: OneOf<number, NumberExpr>): NumberExpr;
  /** `-x` */
  neg(): NumberExpr;
  orValue(otherwise: number): NumberExpr;
}

/** `Item` is the expression that stands for one item. */
export interface ListExpr<Item> extends Equality<readonly unknown[] | ListExpr<Item> | AnyExpr> {
  readonly [KIND]: "list";
  /** True for an empty list as well. */
  all(holds: (item: Item) => Condition | AnyExpr): Condition;
  exists(holds: (item: Item) => Condition | AnyExpr): Condition;
  existsOne(holds: (item: Item) => Condition | AnyExpr): Condition;
  filter(holds: (item: Item) => Condition | AnyExpr): ListExpr<Item>;
  map<Result extends AnyExpression>(value: (item: Item) => Result): ListExpr<Result>;
  /** `item in list` */
  includes(item: unknown): Condition;
  at(index: OneOf<number, NumberExpr>): Item;
  size(): NumberExpr;
  /** Of texts. */
  join(separator?: string): TextExpr;
  orValue(otherwise: readonly unknown[]): ListExpr<Item>;
}

/** A map with any keys. */
export interface MapExpr<Value> extends Equality<object> {
  readonly [KIND]: "map";
  get(key: OneOf<string, TextExpr>): Value;
  /** `key in map` */
  includes(key: OneOf<string, TextExpr>): Condition;
  size(): NumberExpr;
}

export interface TimeExpr extends Ordering<TimeExpr | AnyExpr> {
  readonly [KIND]: "time";
  getFullYear(...zone: Zone): NumberExpr;
  /** From 0. */
  getMonth(...zone: Zone): NumberExpr;
  /** From 1. */
  getDate(...zone: Zone): NumberExpr;
  /** 0 is Sunday. */
  getDayOfWeek(...zone: Zone): NumberExpr;
  getHours(...zone: Zone): NumberExpr;
  getMinutes(...zone: Zone): NumberExpr;
  add(duration: AnyExpr): TimeExpr;
  sub(duration: AnyExpr): TimeExpr;
}

/** Nothing is known of its type; the checker and the gate judge it. */
export interface AnyExpr extends Ordering<unknown> {
  readonly [KIND]: "any";
  and(...others: readonly (Condition | AnyExpr)[]): Condition;
  or(...others: readonly (Condition | AnyExpr)[]): Condition;
  not(): Condition;
  in(list: readonly unknown[] | AnyExpression): Condition;
  includes(item: unknown): Condition;
  /** A field by name. */
  field(name: string): AnyExpr;
  /** An entry of a map. */
  get(key: unknown): AnyExpr;
  /** An item of a list. */
  at(index: unknown): AnyExpr;
  startsWith(part: unknown): Condition;
  endsWith(part: unknown): Condition;
  contains(part: unknown): Condition;
  matches(pattern: string | RegExp): Condition;
  size(): NumberExpr;
  lowerAscii(): TextExpr;
  upperAscii(): TextExpr;
  trim(): TextExpr;
  add(other: unknown): AnyExpr;
  sub(other: unknown): AnyExpr;
  mul(other: unknown): AnyExpr;
  div(other: unknown): AnyExpr;
  mod(other: unknown): AnyExpr;
  neg(): AnyExpr;
  all(holds: (item: AnyExpr) => Condition | AnyExpr): Condition;
  exists(holds: (item: AnyExpr) => Condition | AnyExpr): Condition;
  existsOne(holds: (item: AnyExpr) => Condition | AnyExpr): Condition;
  filter(holds: (item: AnyExpr) => Condition | AnyExpr): ListExpr<AnyExpr>;
  map<Result extends AnyExpression>(value: (item: AnyExpr) => Result): ListExpr<Result>;
  orValue(otherwise: unknown): AnyExpr;
}

export type AnyExpression = { readonly [KIND]: string };

/** Fields whose names nobody declared. */
export interface Untyped {
  field(name: string): AnyExpr;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The expression that stands for a value of type `T`. A field that may be absent or null reads as its value. */
export type ExprOf<T> = IsAny<T> extends true ? AnyExpr : unknown extends T ? AnyExpr : ExprOfKnown<NonNullable<T>>;

type ExprOfKnown<T> = [T] extends [never]
  ? AnyExpr
  : [T] extends [string]
    ? TextExpr<T>
    : [T] extends [number | bigint]
      ? NumberExpr
      : [T] extends [boolean]
        ? Condition
        : [T] extends [readonly (infer Item)[]]
          ? ListExpr<ExprOf<Item>>
          : [T] extends [object]
            ? string extends keyof T
              ? MapExpr<ExprOf<T[keyof T]>>
              : FieldsOf<T>
            : AnyExpr;

/** Of a union of objects, the fields that all of them have. */
export type FieldsOf<T, Keys extends keyof T = keyof T> = { readonly [Key in Keys & string]: ExprOf<T[Key]> };

export interface PastCallExpr extends AnyExpression {
  readonly tool: TextExpr;
  readonly kind: TextExpr<"read" | "write" | "destructive" | "none">;
  readonly args: Untyped;
  readonly at: TimeExpr;
  readonly turn: NumberExpr;
}

export interface AttemptExpr extends PastCallExpr {
  readonly verdict: TextExpr<"allow" | "deny" | "pause">;
  readonly outcome: TextExpr<"succeeded" | "failed" | "unknown" | "none">;
}

/** What a callback of `when` is given. `Args` are the arguments that every tool in scope has. */
export interface ConditionContext<Args = unknown> {
  readonly args: unknown extends Args ? Untyped : FieldsOf<Args>;
  readonly tool: TextExpr;
  readonly agent: TextExpr;
  readonly env: TextExpr;
  readonly principal: {
    readonly id: TextExpr;
    readonly kind: TextExpr<"person" | "service" | "none">;
    readonly roles: ListExpr<TextExpr>;
    readonly labels: MapExpr<TextExpr>;
  };
  /** Fields that `context` of the policy declares. */
  readonly context: Untyped;
  readonly call: {
    readonly id: TextExpr;
    readonly kind: TextExpr<"read" | "write" | "destructive" | "none">;
    readonly depth: NumberExpr;
    readonly attempt: NumberExpr;
    readonly labels: ListExpr<TextExpr>;
  };
  readonly run: {
    readonly id: TextExpr;
    readonly prompted: Condition;
    readonly untrusted: Condition;
    readonly turn: NumberExpr;
    /** What succeeded before, of this run and its sub-agents, oldest first. Not for functions. */
    readonly calls: ListExpr<PastCallExpr>;
    /** All that was tried before. Not for functions. */
    readonly attempts: ListExpr<AttemptExpr>;
  };
  readonly now: TimeExpr;
  /** A constant of `let` or an expression of `define`. */
  named(name: string): AnyExpr;
  /** `has(field)`: the field is there. */
  has(field: AnyExpression | object): Condition;
  /** `name(…)`: any function of the language, also those below. */
  fn(name: string, ...args: readonly unknown[]): AnyExpr;
  /** A moment in RFC 3339. */
  timestamp(text: string): TimeExpr;
  /** Such as `90s` or `1h30m`. */
  duration(text: string): AnyExpr;
  /** Exact decimal arithmetic, for money that is no integer. */
  dec(value: OneOf<number | string, NumberExpr | TextExpr>): AnyExpr;
  /** The domain of a mail address. */
  domain(mail: OneOf<string, TextExpr>): TextExpr;
  /** The host of a URL. */
  host(url: OneOf<string, TextExpr>): TextExpr;
  /** The host is the domain, or lies below it. */
  inDomain(host: OneOf<string, TextExpr>, domain: OneOf<string, TextExpr>): Condition;
  /** The path is the root, or lies below it; a relative one is taken from `base`. */
  within(path: OneOf<string, TextExpr>, root: OneOf<string, TextExpr>, base?: OneOf<string, TextExpr>): Condition;
  glob(text: OneOf<string, TextExpr>, pattern: OneOf<string, TextExpr>): Condition;
  /** The address lies in the range. */
  cidr(address: OneOf<string, TextExpr>, range: OneOf<string, TextExpr>): Condition;
  hasInvisible(text: OneOf<string, TextExpr>): Condition;
  links(text: OneOf<string, TextExpr>): ListExpr<TextExpr>;
  /** The text holds something of this kind, such as `secret`. */
  holds(text: OneOf<string, TextExpr>, kind: string): Condition;
  /** The date of a moment in a zone, `YYYY-MM-DD`. */
  day(time: TimeExpr | AnyExpr, zone: string): TextExpr;
}
