/** `define` names stand for their expression: they are replaced in the tree, so that errors and absorption stay exact. */
import { LIMITS } from "../limits.ts";
import type { At, Expr } from "./cel/ast.ts";

/** Replacing the definitions made a condition larger than a condition may be. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

/**
 * `expr` with every defined name replaced by its (already replaced) expression. The copy stands where the name stood.
 * @throws TooLarge over `LIMITS.celNodes` nodes or `LIMITS.celDepth` levels: definitions of definitions may double with each
 * step, and what is deeper than any condition would be too deep for whoever walks it.
 */
export function inline(expr: Expr, definitions: ReadonlyMap<string, Expr>): Expr {
  if (definitions.size === 0) return expr;
  const budget = { left: LIMITS.celNodes };
  return walk(expr, (node, bound, depth) => {
    spend(budget, depth);
    if (node.kind !== "identifier" || (bound.has(node.name) && !node.absolute)) return undefined;
    const definition = definitions.get(node.name);
    return definition === undefined ? undefined : relocate(definition, node, budget, depth);
  });
}

function spend(budget: { left: number }, depth: number): void {
  if (--budget.left < 0) throw new TooLarge(`a condition over ${LIMITS.celNodes} nodes`);
  if (depth > LIMITS.celDepth) throw new TooLarge(`a condition over ${LIMITS.celDepth} levels`);
}

/** A free name of a definition is absolute in the copy: a macro variable around the use must not capture it. */
function relocate(definition: Expr, place: At, budget: { left: number }, depth: number): Expr {
  const { start, end } = place;
  return walk(
    definition,
    (node, bound, inner) => {
      spend(budget, depth + inner - 1);
      return node.kind === "identifier" ? { ...node, absolute: node.absolute || !bound.has(node.name) } : undefined;
    },
    { start, end },
  );
}

/** `depth` counts from 1 at the root. */
type Replace = (node: Expr, bound: ReadonlySet<string>, depth: number) => Expr | undefined;

function walk(root: Expr, replace: Replace, place?: At): Expr {
  const none: ReadonlySet<string> = new Set();
  function visit(node: Expr, bound: ReadonlySet<string>, depth: number): Expr {
    const replaced = replace(node, bound, depth);
    const copy =
      replaced ??
      rebuild(node, (child, name) => visit(child, name === undefined ? bound : new Set([...bound, name]), depth + 1));
    return place === undefined ? copy : { ...copy, ...place };
  }
  return visit(root, none, 1);
}

/** A copy with each direct sub-expression visited; `variable` is set where a macro binds it. */
function rebuild(node: Expr, visit: (child: Expr, variable?: string) => Expr): Expr {
  switch (node.kind) {
    case "literal":
    case "identifier":
      return node;
    case "select":
    case "has":
    case "not":
    case "negate":
      return { ...node, operand: visit(node.operand) };
    case "index":
      return { ...node, operand: visit(node.operand), index: visit(node.index) };
    case "call":
      return {
        ...node,
        target: node.target === null ? null : visit(node.target),
        args: node.args.map((argument) => visit(argument)),
      };
    case "and":
    case "or":
      return { ...node, operands: node.operands.map((operand) => visit(operand)) };
    case "binary":
      return { ...node, left: visit(node.left), right: visit(node.right) };
    case "conditional":
      return { ...node, condition: visit(node.condition), then: visit(node.then), else: visit(node.else) };
    case "list":
      return { ...node, items: node.items.map((item) => ({ ...item, value: visit(item.value) })) };
    case "map":
      return {
        ...node,
        entries: node.entries.map((entry) => ({ ...entry, key: visit(entry.key), value: visit(entry.value) })),
      };
    case "macro":
      return {
        ...node,
        range: visit(node.range),
        where: node.where === null ? null : visit(node.where, node.variable),
        body: visit(node.body, node.variable),
      };
  }
}
