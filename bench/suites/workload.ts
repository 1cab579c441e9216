/** The same work for everybody: rules over tools, and one call of each tool. */
export interface BenchRule {
  readonly id: string;
  readonly tool: string;
  readonly then: "allow" | "deny" | "pause";
  /** How the tests go together. */
  readonly of: "all" | "any";
  readonly tests: readonly BenchTest[];
}

/** Each peer writes it in its own language. */
export interface BenchTest {
  /** Below the arguments: `customer.country`. */
  readonly path: string;
  readonly is: ">" | "<=" | "==" | "in";
  readonly value: number | string | readonly string[];
}

export interface BenchCall {
  readonly tool: string;
  readonly args: BenchArgs;
}

/** No interface: peers take any object with text keys, which an interface is not for TypeScript. */
export type BenchArgs = {
  readonly amount: number;
  readonly currency: string;
  readonly customer: { readonly id: string; readonly country: string };
};

const CURRENCIES = ["usd", "eur", "chf", "gbp"] as const;

/** Ten rules a tool: two that permit, eight that restrict and mostly do not match, as real policies do. */
export function rules(tools: number, perTool: number): BenchRule[] {
  const made: BenchRule[] = [];
  for (let tool = 0; tool < tools; tool++) {
    for (let index = 0; index < perTool; index++) made.push(oneRule(tool, index));
  }
  return made;
}

function oneRule(tool: number, index: number): BenchRule {
  const limit = 10_000 + index * 1_000 + (tool % 7) * 100;
  const currency = `x${CURRENCIES[(tool + index) % CURRENCIES.length]}`;
  const named = { id: `t${tool}.r${index}`, tool: `tool${tool}` };
  if (index < 2) {
    const amount = (is: ">" | "<=", value: number) => ({ path: "amount", is, value });
    const tests = [amount(">", 0), amount("<=", limit), { path: "customer.country", is: "==", value: "CH" } as const];
    return { ...named, then: "allow", of: "all", tests };
  }
  const above = (value: number) => ({ path: "amount", is: ">", value }) as const;
  if (index % 2 === 0) {
    const tests = [above(limit * 10), { path: "currency", is: "==", value: currency } as const];
    return { ...named, then: "deny", of: "any", tests };
  }
  const tests = [{ path: "customer.country", is: "in", value: ["KP", "IR", "SY"] } as const, above(limit)];
  return { ...named, then: "pause", of: "all", tests };
}

/**
 * As many rules, none of which another one makes idle: what a policy set looks like that its owners keep clean. The rules above
 * repeat one another six times of ten, which the analysis says with an example call each.
 */
export function faultlessRules(tools: number, perTool: number): BenchRule[] {
  return rules(tools, perTool).map((rule, at) => ({ ...rule, ...faultless(at % perTool, rule) }));
}

function faultless(index: number, { then, tests }: BenchRule): Pick<BenchRule, "of" | "tests"> {
  const country = "customer.country";
  const own = index === 0 ? "CH" : `A${index}`;
  if (then === "allow") return { of: "all", tests: [...tests.slice(0, 2), { path: country, is: "==", value: own }] };
  const beside = { path: "currency", is: "==", value: `x${CURRENCIES[index % CURRENCIES.length]}${index}` } as const;
  if (then === "deny") return { of: "all", tests: [{ path: "customer.id", is: "==", value: `k${index}` }, beside] };
  return {
    of: "all",
    tests: [{ path: country, is: "in", value: [`B${index}`, `C${index}`, `D${index}`] }, ...tests.slice(1)],
  };
}

/** One call of each tool, in an order that jumps: the first permission of the tool matches, and nothing that restricts. */
export function callsOf(tools: number): BenchCall[] {
  return Array.from({ length: tools }, (_, index) => ({ tool: `tool${(index * 7) % tools}`, args: argsOf(index) }));
}

/** Calls that a rule restricts: whoever is measured has to see that too. The denied one is permitted by another rule. */
export const RESTRICTED = {
  deny: { tool: "tool0", args: { ...argsOf(0), currency: "xchf" } },
  pause: { tool: "tool0", args: { amount: 20_000, currency: "usd", customer: { id: "c1", country: "KP" } } },
} as const satisfies Record<string, BenchCall>;

export function byTool(all: readonly BenchRule[]): Map<string, BenchRule[]> {
  return Map.groupBy(all, (rule) => rule.tool);
}

export function argsOf(index: number) {
  return { amount: 1 + (index % 9_000), currency: "usd", customer: { id: `c${index % 100}`, country: "CH" } };
}

export function asYaml(all: readonly BenchRule[]): string {
  const lines = ["saferun: policy/v1", "name: bench", "environments:", "  prod: { unmatched: deny }", "tools:"];
  for (const tool of new Set(all.map((rule) => rule.tool))) lines.push(`  ${tool}: { kind: write }`);
  lines.push("rules:");
  for (const rule of all) {
    lines.push(
      `  - id: ${rule.id}`,
      `    tool: ${rule.tool}`,
      `    when: ${JSON.stringify(asCel(rule))}`,
      `    then: ${rule.then}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The infix form of CEL; other languages differ in their words only. */
export function asCel({ of, tests }: BenchRule, root = "args."): string {
  const texts = tests.map(({ path, is, value }) => `${root}${path} ${is} ${JSON.stringify(value)}`);
  return texts.join(of === "all" ? " && " : " || ");
}
