/** `policy(…)`: one file's worth of policy, as the tree that a file would give. */
import type { ListNode, MapEntry, MapNode, PolicyIssue, PolicyTree } from "@saferun/core";
import { Budget } from "./budget.ts";
import { callSite } from "./call-site.ts";
import { Rule } from "./rule.ts";
import { entry, nodeOf, Place, scalar } from "./to-tree.ts";
import { ToolDefinition } from "./tool.ts";
import type { WrittenFile } from "./written.ts";

export type PolicyOptions = Omit<WrittenFile, "saferun" | "tools" | "rules" | "budgets"> & {
  /** Definitions; those that rules mention need not stand here again. */
  readonly tools?: readonly ToolDefinition[];
  readonly rules?: readonly Rule[];
  readonly budgets?: readonly Budget[];
};

/** What was written in TypeScript; `loadPolicies` takes it beside files. */
export class Policy {
  readonly tree: PolicyTree;
  /** Errors only; with any of them the policy does not load. */
  readonly issues: readonly PolicyIssue[];

  constructor(tree: PolicyTree, issues: readonly PolicyIssue[]) {
    this.tree = tree;
    this.issues = issues;
    Object.freeze(this);
  }
}

/** Reads `options` at once: what happens to them later changes nothing. Never throws for what is wrong in them. */
export function policy(options: PolicyOptions): Policy {
  const place = new Place(callSite(policy));
  const { tools, rules, budgets, ...rest } = options;
  const entries: MapEntry[] = [entry("saferun", scalar("policy/v1", place))];
  const plain = nodeOf(rest, place);
  if (plain.kind === "map") entries.push(...plain.entries);
  const built = Object.hasOwn(options, "rules") ? listOf(rules, "rules", "rule", Rule, place) : undefined;
  const limits = Object.hasOwn(options, "budgets") ? listOf(budgets, "budgets", "budget", Budget, place) : undefined;
  const pieces = [...(built ?? []), ...(limits ?? [])];
  const defined = new Set([
    ...(Object.hasOwn(options, "tools") ? listOf(tools, "tools", "tool", ToolDefinition, place) : []),
    ...pieces.flatMap((one) => one.tools),
  ]);
  if (tools !== undefined || defined.size > 0) entries.push(entry("tools", toolsNode([...defined], place)));
  if (built !== undefined) entries.push(entry("rules", nodesOf(built, place)));
  if (limits !== undefined) entries.push(entry("budgets", nodesOf(limits, place)));
  const issues = [
    ...place.issues,
    ...[...defined].flatMap((one) => one.issues),
    ...pieces.flatMap((one) => one.issues),
  ];
  const root: MapNode = { kind: "map", span: place.span, entries };
  return new Policy({ file: place.span.file, root }, issues);
}

function listOf<Item>(
  list: readonly Item[] | undefined,
  key: string,
  maker: string,
  type: abstract new (...args: never[]) => Item,
  place: Place,
): readonly Item[] {
  const items = Array.isArray(list) ? (list as readonly unknown[]) : [list];
  return items.filter((item): item is Item => {
    const fits = item instanceof type;
    if (!fits) place.report({ code: "wrong-type", message: `\`${key}\` takes what \`${maker}(…)\` gives` });
    return fits;
  });
}

function nodesOf(pieces: readonly (Rule | Budget)[], { span }: Place): ListNode {
  return { kind: "list", span, items: pieces.map((one) => one.node) };
}

function toolsNode(tools: readonly ToolDefinition[], place: Place): MapNode {
  const entries = new Map<string, MapEntry>();
  for (const { name, node } of tools) {
    if (entries.has(name)) {
      const twice = new Place(node.span);
      twice.report({ code: "duplicate-key", message: `the key \`${name}\` stands there twice; keep one` });
      place.issues.push(...twice.issues);
    } else {
      entries.set(name, entry(name, node));
    }
  }
  return { kind: "map", span: place.span, entries: [...entries.values()] };
}
