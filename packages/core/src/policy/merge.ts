/** Sections of several files → one: every merge is a union or an error. */

import type { Span } from "../decision.ts";
import type { Json } from "../value/json.ts";
import { canonicalJson } from "../value/json.ts";
import { RESERVED_NAMES } from "./condition.ts";
import type { PolicyFile, RouteSource, ToolSource } from "./format.ts";
import { isGlob } from "./glob.ts";
import { type Issues, quote } from "./issue.ts";
import { checkSubjects, joinedKeeping } from "./keeping.ts";
import { checkTraitPairs } from "./limits/traits.ts";
import type { ContextType, EnvironmentModel, PolicyDocument, ToolModel } from "./model.ts";
import { fold } from "./nearest.ts";
import type { Entry } from "./shape.ts";
import { checkBindPairs, checkSchemas, checkToolConflicts } from "./tool-conflicts.ts";
import { checkUnitPairs } from "./units.ts";

/** All entries of one section, over all files. */
export function section<Value>(
  documents: readonly PolicyDocument[],
  pick: (file: PolicyFile) => readonly Entry<Value>[] | undefined,
): readonly Entry<Value>[] {
  return documents.flatMap(({ source }) => pick(source) ?? []);
}

/** Entries that may stand there once only. */
export function unique<Value>(
  entries: readonly Entry<Value>[],
  what: string,
  issues: Issues,
): ReadonlyMap<string, Entry<Value>> {
  const first = new Map<string, Entry<Value>>();
  for (const entry of entries) {
    const twin = first.get(fold(entry.key));
    if (twin === undefined) first.set(fold(entry.key), entry);
    else {
      const place = `${twin.span.file}:${twin.span.line}:${twin.span.column}`;
      issues.error("duplicate-key", entry.span, `${what} ${quote(entry.key)} is already declared at ${place}`);
    }
  }
  return new Map([...first.values()].map((entry) => [entry.key, entry]));
}

export function mergeEnvironments(documents: readonly PolicyDocument[], issues: Issues) {
  const environments = new Map<string, EnvironmentModel>();
  for (const [name, { span, value }] of unique(
    section(documents, (file) => file.environments),
    "environment",
    issues,
  )) {
    const said = value.unmatched ?? "deny";
    const word = typeof said === "string" ? said : undefined;
    const per = typeof said === "string" ? undefined : said;
    const unmatched = {
      read: word ?? per?.read ?? "deny",
      none: word ?? per?.none ?? "deny",
      write: word ?? per?.write ?? "deny",
      destructive: word ?? per?.destructive ?? "deny",
    };
    if (unmatched.destructive === "allow") {
      issues.warning("unmatched-destructive", span, `${quote(name)} lets destructive tools run without any rule`);
    }
    environments.set(name, {
      name,
      span,
      unmatched,
      observe: value.mode === "observe",
      record: value.record ?? "full",
      seal: value.seal ?? null,
    });
  }
  return environments;
}

export function mergeRoutes(documents: readonly PolicyDocument[], issues: Issues) {
  const routes = new Map<string, RouteSource>();
  for (const [name, entry] of unique(
    section(documents, (file) => file.routes),
    "route",
    issues,
  ))
    routes.set(name, entry.value);
  return routes;
}

export function mergeContext(documents: readonly PolicyDocument[], issues: Issues) {
  const fields = new Map<string, ContextType>();
  for (const { key, span, value } of section(documents, (file) => file.context)) {
    const before = fields.get(key);
    if (before !== undefined && before !== value) {
      issues.error("conflict", span, `context field ${quote(key)} is \`${value}\` here and \`${before}\` elsewhere`);
    }
    fields.set(key, before ?? value);
  }
  return fields;
}

export function mergeConstants(documents: readonly PolicyDocument[], issues: Issues) {
  const constants = new Map<string, Json>();
  for (const { key, span, value } of section(documents, (file) => file.let)) {
    if (RESERVED_NAMES.includes(key))
      issues.error("bad-name", span, `${quote(key)} already has a meaning in conditions`);
    const before = constants.get(key);
    if (before !== undefined && canonicalJson(before) !== canonicalJson(value.value)) {
      issues.error("conflict", span, `constant ${quote(key)} has another value elsewhere`);
    }
    constants.set(key, before ?? value.value);
  }
  return constants;
}

/** What one `tools:` entry says beside its kind and names. */
export type ArgumentsOf = (
  tool: string,
  value: ToolSource,
  span: Span,
) => Pick<ToolModel, "schema" | "binds" | "traits" | "keeping" | "units">;

/** Entries of one tool add up; the same key said differently is an error, also between a name and a glob over it. */
export function mergeTools(
  documents: readonly PolicyDocument[],
  argumentsOf: ArgumentsOf,
  issues: Issues,
): readonly ToolModel[] {
  const tools = new Map<string, ToolModel>();
  for (const { key, span, value } of section(documents, (file) => file.tools)) {
    const before = tools.get(key);
    const aliases = (value.aliases ?? []).map((alias) => alias.value);
    if (isGlob(key) && aliases.length > 0) {
      issues.error("bad-value", span, `${quote(key)} is a glob; only a tool's own name can have aliases`);
    }
    const labels = (value.labels ?? []).map((label) => label.value);
    const entry = { name: key, span, kind: value.kind ?? null, labels, aliases, ...argumentsOf(key, value, span) };
    tools.set(key, before === undefined ? plain(entry) : joined(before, entry, issues));
  }
  const merged = [...tools.values()];
  checkToolConflicts(merged, issues);
  checkAliases(merged, issues);
  return merged;
}

function plain(entry: ToolModel): ToolModel {
  return { ...entry, labels: union([], entry.labels), aliases: union([], entry.aliases) };
}

function joined(before: ToolModel, entry: ToolModel, issues: Issues): ToolModel {
  const { name, kind } = entry;
  if (kind !== null && before.kind !== null && kind !== before.kind) {
    issues.error("conflict", entry.span, `${quote(name)} is \`${kind}\` here and \`${before.kind}\` elsewhere`);
  }
  checkSchemas(before, entry, issues);
  checkBindPairs(before.binds, entry.binds, issues);
  checkTraitPairs(before, entry, issues);
  checkSubjects(before, entry, issues);
  checkUnitPairs(before.units, entry.units, issues);
  return {
    name,
    span: before.span,
    kind: before.kind ?? kind,
    labels: union(before.labels, entry.labels),
    aliases: union(before.aliases, entry.aliases),
    schema: before.schema ?? entry.schema,
    binds: [...before.binds, ...entry.binds],
    traits: { ...entry.traits, ...before.traits },
    keeping: joinedKeeping(before.keeping, entry.keeping),
    units: [...before.units, ...entry.units],
  };
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])].sort();
}

function checkAliases(tools: readonly ToolModel[], issues: Issues): void {
  const owners = new Map(tools.filter((tool) => !isGlob(tool.name)).map((tool) => [tool.name, tool.name]));
  for (const tool of tools) {
    for (const alias of tool.aliases) {
      const owner = owners.get(alias);
      if (owner !== undefined && owner !== tool.name) {
        issues.error("conflict", tool.span, `${quote(alias)} cannot stand for ${quote(tool.name)} and ${quote(owner)}`);
      }
      owners.set(alias, tool.name);
    }
  }
}
