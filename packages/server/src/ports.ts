/** What the server needs from whoever runs it. Everything else it reads from the store. */
import type { Actor, Approver, ConditionWords, DecisionAnswer, DecisionPorts, RunTree } from "@saferun/core";
import type { SearchAnswer, SearchRequest } from "@saferun/store";
import type { z } from "zod";
import type { Access, Agents, Channels, ChannelTested, Project } from "./schemas/agents.ts";
import type {
  Activated,
  BacktestBody,
  Backtested,
  Checked,
  Policies,
  PolicyText,
  Revisions,
  Tried,
  TryBody,
} from "./schemas/policies.ts";
import type { Comparison, RunTest, WhatIf } from "./schemas/runs.ts";

export interface ServerPorts extends DecisionPorts {
  /** Who sends the requests: of `saferun dev` the account, whom nobody verified. */
  readonly person: Person;
  readonly search: SearchDesk;
  readonly exports: ExportDesk;
  readonly policies: PolicyDesk;
  readonly replay: ReplayDesk;
  readonly channels: ChannelDesk;
  readonly about: { readonly store: string };
  project(): Wire<typeof Project>;
}

export interface Person {
  readonly name: string;
  readonly approver: Approver;
  readonly actor: Actor;
  /** What this person can do where an answer was refused, behind its message; empty: nothing. */
  readonly hint: (result: DecisionAnswer) => string;
}

export interface SearchDesk {
  /** @throws SafeRunError `query.invalid`. */
  search(request: Omit<SearchRequest, "now">): Promise<SearchAnswer>;
  views(): ReadonlyMap<string, string>;
  /** Null forgets the name. */
  saveView(name: string, query: string | null): void;
}

export interface ExportDesk {
  /**
   * `entries`: of the log now; later ones are not in it. `query` null: the whole log, with its signatures.
   * @throws SafeRunError `query.invalid`.
   */
  begin(
    format: "jsonl" | "csv",
    query: string | null,
  ): Promise<{ readonly entries: number; readonly chunks: AsyncIterable<string> }>;
}

type Wire<Schema extends z.ZodType> = z.infer<Schema>;
type Files = readonly Wire<typeof PolicyText>[];

export interface Caller {
  readonly agent: string;
  readonly environment: string;
}

/** The policies of this place. `state` of `current` is added by the server, which reads it from the log. */
export interface PolicyDesk {
  current(): Promise<Omit<Wire<typeof Policies>, "state">>;
  check(files: Files): Promise<Wire<typeof Checked>>;
  /** Tools that the policies in force declare. */
  tools(): Promise<Wire<typeof Agents>["declared"]>;
  /**
   * What the rules say of these callers and of all tools, declared ones and these.
   * @throws ProblemError `policy.invalid`.
   */
  access(callers: readonly Caller[], tools: readonly string[]): Promise<Wire<typeof Access>>;
  /** The JSON Schema of the format, for completion. */
  schema(): object;
  /** What conditions may be written with under the policies in force; where none load, the language alone. */
  words(): Promise<ConditionWords>;
  attempt(body: Wire<typeof TryBody>): Promise<Wire<typeof Tried>>;
  backtest(body: Wire<typeof BacktestBody>): Promise<Wire<typeof Backtested>>;
  /**
   * Writes the files, all or none, where they load and `base` is still in force.
   * @throws SafeRunError `policy.invalid`, `policy.stale`.
   */
  activate(files: Files, base: string | null): Promise<Wire<typeof Activated>>;
  /** Files that were activated from here, newest first. */
  revisions(): Promise<Wire<typeof Revisions>>;
  /** Writes the files of an earlier revision, under the same conditions. */
  rollBack(revision: string, base: string | null): Promise<Wire<typeof Activated>>;
}

export interface ReplayDesk {
  /** The run as a tree of steps; undefined where there is no such run. */
  tree(run: string): Promise<RunTree | undefined>;
  whatIf(run: string, files: Files): Promise<Wire<typeof WhatIf>>;
  /** @throws ProblemError where no call of it can be had from the record. */
  test(run: string): Promise<Wire<typeof RunTest>>;
  /**
   * The run's entries as they are stored, with what proves them: as a page that verifies itself, or as the bundle alone.
   * @throws ProblemError where they cannot be proved.
   */
  bundle(run: string, as: "page" | "bundle"): Promise<string>;
  compare(left: string, right: string): Promise<Omit<Wire<typeof Comparison>, "left" | "right">>;
}

export interface ChannelDesk {
  list(): Promise<Wire<typeof Channels>>;
  /** Sends one message that asks nothing. */
  test(target: string): Promise<Wire<typeof ChannelTested>>;
}
