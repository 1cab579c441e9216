/** What the single analyses share: the rules with their regions, the search for examples, and the form of a finding. */
import type { Span, Verdict } from "../../decision.ts";
import type { Expr } from "../cel/ast.ts";
import { quote } from "../issue.ts";
import type { PolicyModel, RuleModel } from "../model.ts";
import { Claims } from "./claims.ts";
import type { AnalysisCode } from "./codes.ts";
import { product, type Region } from "./region.ts";
import { RulesByTool, Tools } from "./scope.ts";
import { Search } from "./search.ts";
import { type ExampleCall, Trial } from "./trial.ts";

export interface Finding {
  readonly code: AnalysisCode;
  readonly span: Span;
  readonly rule: RuleModel | null;
  readonly message: string;
  readonly example: ExampleCall;
}

export const STRICTNESS: Readonly<Record<Verdict, number>> = { allow: 0, pause: 1, deny: 2 };

/** Rules of one tool that are looked at for one example: of thousands on one tool, most have no part in it. */
const MOST_NEIGHBOURS = 200;

export class Analysis {
  readonly model: PolicyModel;
  readonly tools: Tools;
  readonly claims: Claims;
  readonly index: RulesByTool;
  readonly search: Search;

  constructor(model: PolicyModel) {
    this.model = model;
    this.tools = new Tools(model);
    this.claims = new Claims(model);
    this.index = new RulesByTool(model.rules, this.tools);
    this.search = new Search(model, this.tools, new Trial(model));
  }

  /** Cheap: false where the condition surely holds no piece that is written like this. Definitions may hide one. */
  mayHold({ condition }: RuleModel, pattern: RegExp): boolean {
    return condition !== null && (this.model.definitions.size > 0 || pattern.test(condition.text));
  }

  /** The part of the regions in which no other rule denies or asks, as far as that is known and leaves anything. */
  undisturbed(regions: readonly Region[], tool: string, except: readonly RuleModel[]): readonly Region[] {
    let all = regions;
    for (const other of this.index.of(tool).slice(0, MOST_NEIGHBOURS)) {
      if (except.includes(other)) continue;
      const quiet = product([all, this.claims.silent(other)]);
      if (quiet !== null && quiet.length > 0) all = quiet;
    }
    return all;
  }
}

/** A rule's name with its place, for messages. */
export function named(rule: RuleModel): string {
  return `${quote(rule.id)} (${rule.span.file}:${rule.span.line})`;
}

export function conditionsOf(...rules: readonly RuleModel[]): readonly Expr[] {
  return rules.flatMap(({ condition }) => condition?.expr ?? []);
}

export function pathText(path: readonly string[]): string {
  return quote(path.join("."));
}
