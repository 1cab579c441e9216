/** Entries of one tool add up; what two of them say differently is an error, also between a name and a glob over it. */
import { canonicalJson } from "../value/json.ts";
import { pathsMeet } from "./argument-path.ts";
import { globsMeet, isGlob } from "./glob.ts";
import { type Issues, quote } from "./issue.ts";
import { checkSubjects } from "./keeping.ts";
import { checkTraitPairs } from "./limits/traits.ts";
import type { BindModel, ToolModel } from "./model.ts";
import { checkUnitPairs } from "./units.ts";

export function checkToolConflicts(tools: readonly ToolModel[], issues: Issues): void {
  const saying = tools.filter(
    ({ kind, schema, binds, traits, keeping, units }) =>
      kind !== null ||
      schema !== null ||
      binds.length > 0 ||
      Object.keys(traits).length > 0 ||
      keeping.subject !== null ||
      units.length > 0,
  );
  for (const glob of saying) {
    if (!isGlob(glob.name)) continue;
    for (const other of saying) {
      // Of two globs each pair is looked at once.
      if (other === glob || (isGlob(other.name) && other.name < glob.name)) continue;
      if (globsMeet(glob.name, other.name)) checkPair(glob, other, issues);
    }
  }
}

function checkPair(glob: ToolModel, other: ToolModel, issues: Issues): void {
  if (glob.kind !== null && other.kind !== null && glob.kind !== other.kind) {
    const message = `${quote(other.name)} is \`${other.kind}\`, but ${quote(glob.name)} makes it \`${glob.kind}\``;
    issues.error("conflict", other.span, message);
  }
  checkSchemas(glob, other, issues);
  checkBindPairs(glob.binds, other.binds, issues);
  checkTraitPairs(glob, other, issues);
  checkSubjects(glob, other, issues);
  checkUnitPairs(glob.units, other.units, issues);
}

export function checkSchemas(a: ToolModel, b: ToolModel, issues: Issues): void {
  if (a.schema === null || b.schema === null) return;
  if (canonicalJson(a.schema.source) === canonicalJson(b.schema.source)) return;
  issues.error("conflict", b.span, `${quote(b.name)} has another schema at ${place(a)}; keep one`);
}

export function checkBindPairs(some: readonly BindModel[], others: readonly BindModel[], issues: Issues): void {
  for (const one of some) {
    for (const other of others) {
      const same = one.path.join(".") === other.path.join(".") && one.value.text === other.value.text;
      if (same || !pathsMeet(one.path, other.path)) continue;
      issues.error("conflict", other.span, `${quote(other.path.join("."))} is bound differently at ${place(one)}`);
    }
  }
}

function place({ span }: { readonly span: ToolModel["span"] }): string {
  return `${span.file}:${span.line}:${span.column}`;
}
