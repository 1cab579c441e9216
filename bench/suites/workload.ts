/** The same work for everybody: rules over tools, as SafeRun policies, as CEL, and as Cedar. */
export interface BenchRule {
  readonly id: string;
  readonly tool: string;
  readonly then: "allow" | "deny" | "pause";
  readonly cel: string;
  readonly cedar: string;
}

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
  const currency = CURRENCIES[(tool + index) % CURRENCIES.length];
  const id = `t${tool}.r${index}`;
  const name = `tool${tool}`;
  if (index < 2) {
    const text = `args.amount > 0 && args.amount <= ${limit} && args.customer.country == "CH"`;
    return { id, tool: name, then: "allow", cel: text, cedar: text };
  }
  if (index % 2 === 0) {
    const text = `args.amount > ${limit * 10} || args.currency == "x${currency}"`;
    return { id, tool: name, then: "deny", cel: text, cedar: text };
  }
  const cel = `args.customer.country in ["KP", "IR", "SY"] && args.amount > ${limit}`;
  const cedar = `["KP", "IR", "SY"].contains(args.customer.country) && args.amount > ${limit}`;
  return { id, tool: name, then: "pause", cel, cedar };
}

export function argsOf(index: number): { amount: number; currency: string; customer: { id: string; country: string } } {
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
      `    when: ${JSON.stringify(rule.cel)}`,
      `    then: ${rule.then}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Cedar has no pause: those rules are forbids there, which is the same work. */
export function asCedar(all: readonly BenchRule[]): string {
  return all
    .map((rule) => {
      const head = rule.then === "allow" ? "permit" : "forbid";
      const condition = rule.cedar.replaceAll("args.", "context.");
      return `${head}(principal, action == Action::"${rule.tool}", resource) when { ${condition} };`;
    })
    .join("\n");
}
