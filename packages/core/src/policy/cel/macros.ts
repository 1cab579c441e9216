/** The calls that are syntax: they bind a name, or look at an expression instead of its value. */
import type { Call, Expr, MacroName } from "./ast.ts";
import { ParseProblem } from "./parse-problem.ts";

/** Forms as they are shown in messages. */
const FORMS: Readonly<Record<string, { readonly counts: readonly number[]; readonly form: string }>> = {
  all: { counts: [2], form: "args.items.all(item, item.price > 0)" },
  exists: { counts: [2], form: 'args.tags.exists(tag, tag == "urgent")' },
  exists_one: { counts: [2], form: "args.items.exists_one(item, item.primary)" },
  map: { counts: [2, 3], form: "args.items.map(item, item.price)" },
  filter: { counts: [2], form: "args.items.filter(item, item.price > 0)" },
  optMap: { counts: [2], form: "args.?name.optMap(name, name.size())" },
  optFlatMap: { counts: [2], form: "args.?owner.optFlatMap(owner, owner.?name)" },
};

export const MACRO_NAMES: readonly string[] = ["has", ...Object.keys(FORMS)];

/** An example of each. */
export const MACRO_FORMS: Readonly<Record<string, string>> = {
  has: "has(args.amount)",
  ...Object.fromEntries(Object.entries(FORMS).map(([name, { form }]) => [name, form])),
};

/** A call as parsed → the macro it is, or the call itself. */
export function expandMacro(call: Call): Expr {
  if (call.target === null) return call.name === "has" ? expandHas(call) : call;
  const macro = Object.hasOwn(FORMS, call.name) ? FORMS[call.name] : undefined;
  if (macro === undefined) return call;
  const [variable, second, third] = call.args;
  if (!macro.counts.includes(call.args.length) || variable === undefined || second === undefined) {
    return fail(call.nameStart, call.end, `\`${call.name}\` takes a name and a condition: \`${macro.form}\``);
  }
  if (variable.kind !== "identifier" || variable.absolute) {
    return fail(variable.start, variable.end, `\`${call.name}\` takes a new name first: \`${macro.form}\``);
  }
  return {
    kind: "macro",
    macro: call.name as MacroName,
    range: call.target,
    variable: variable.name,
    where: third === undefined ? null : second,
    body: third ?? second,
    start: call.start,
    end: call.end,
  };
}

function expandHas(call: Call): Expr {
  const [field] = call.args;
  if (call.args.length !== 1 || field?.kind !== "select" || field.optional) {
    return fail(call.start, call.end, `\`has\` takes one field: \`${MACRO_FORMS.has}\``);
  }
  return { kind: "has", operand: field.operand, field: field.field, start: call.start, end: call.end };
}

function fail(start: number, end: number, message: string): never {
  throw new ParseProblem({ offset: start, length: end - start, code: "syntax", message });
}
