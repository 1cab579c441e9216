/** The few questions and changes that the Linear channel needs, over GraphQL. */
import type { Json, SendFailure } from "@saferun/core";
import { at, isMap, jsonOf, textAt } from "../json-body.ts";
import { HttpFailure, post, postFailure } from "../post.ts";
import { printable, short } from "../shown.ts";
import { DOCUMENTS } from "./documents.ts";

/** Linear waits five seconds for an answer to a webhook. */
const TIMEOUT_MS = 2_500;

/** Linear understood and refused. */
class LinearRefusal extends Error {
  override readonly name = "LinearRefusal";
  /** Too many requests: the same one may be taken later. */
  readonly limited: boolean;
  constructor(message: string, limited = false) {
    super(message);
    this.limited = limited;
  }
}

/** What one person said on an issue of ours, once, as a comment or in an agent session. */
export interface Said {
  /** Of the comment or activity. */
  readonly id: string;
  /** The same for a prompt of a session and the comment that Linear makes of it. */
  readonly key: string;
  readonly body: string;
  readonly edited: boolean;
  /** Undefined: said by no person of this workspace. */
  readonly user:
    | { readonly id: string; readonly active: boolean; readonly guest: boolean; readonly app: boolean }
    | undefined;
  readonly issue: string;
  readonly description: string;
  /** The account that made the issue. */
  readonly creator: string | undefined;
  /** The agent session in which it was said. */
  readonly session?: string;
}

/** Content of an activity, as Linear documents it. */
export type Activity =
  | { readonly type: "elicitation"; readonly body: string; readonly options?: readonly Option[] }
  | { readonly type: "response"; readonly body: string };

export interface Option {
  readonly label: string;
  readonly value: string;
}

export interface LinearApi {
  /** Our own account. */
  viewer(): Promise<string>;
  team(key: string): Promise<string>;
  createIssue(teamId: string, title: string, description: string): Promise<string>;
  describe(issue: string, description: string): Promise<void>;
  /** Moves an issue to the team's first state of that kind, where it has one. */
  finish(issue: string, kind: "completed" | "canceled"): Promise<void>;
  comment(issue: string, body: string): Promise<void>;
  commented(id: string): Promise<Said | undefined>;
  openSession(issue: string): Promise<string>;
  act(session: string, activity: Activity): Promise<void>;
  prompted(id: string): Promise<Said | undefined>;
  /** On our open issues, after our own last word on each, oldest first. `sessions`: in their agent sessions too. */
  unanswered(viewer: string, sessions: boolean): Promise<readonly Said[]>;
}

export function createLinearApi(token: string, apiUrl = "https://api.linear.app/graphql"): LinearApi {
  // A personal key stands alone, a token of an app is a bearer.
  const authorization = token.startsWith("lin_api_") ? token : `Bearer ${token}`;

  async function ask(name: keyof typeof DOCUMENTS, variables: Readonly<Record<string, Json>> = {}) {
    const body = JSON.stringify({ query: DOCUMENTS[name], variables });
    const answer = jsonOf(await answerOf(body));
    const errors = at(answer, "errors");
    if (Array.isArray(errors) && errors.length > 0) {
      const [first] = errors as readonly Json[];
      const limited = textAt(first, "extensions", "code") === "RATELIMITED";
      throw new LinearRefusal(short(textAt(first, "message") ?? "no reason given", 200), limited);
    }
    return at(answer, "data");
  }

  /** Linear says with status 400 what it did not understand, and also that it was too much for this hour. */
  async function answerOf(body: string): Promise<string> {
    try {
      return await post(apiUrl, { authorization }, body, TIMEOUT_MS);
    } catch (error) {
      if (error instanceof HttpFailure && error.status === 400 && isMap(jsonOf(error.text))) return error.text;
      throw error;
    }
  }

  return {
    viewer: async () => textAt(await ask("viewer"), "viewer", "id") ?? "",
    async team(key) {
      const found = nodes(await ask("teams"), "teams").find((team) => textAt(team, "key") === key);
      const id = textAt(found, "id");
      if (id === undefined) throw new LinearRefusal(`there is no team \`${printable(key)}\``);
      return id;
    },
    async createIssue(teamId, title, description) {
      const made = await ask("createIssue", { input: { teamId, title, description } });
      const id = textAt(made, "issueCreate", "issue", "id");
      if (id === undefined) throw new LinearRefusal("no issue was made");
      return id;
    },
    async describe(id, description) {
      await ask("changeIssue", { id, input: { description } });
    },
    async finish(issue, kind) {
      const team = at(await ask("states", { id: issue }), "issue", "team");
      const state = nodes(team, "states").find((one) => textAt(one, "type") === kind);
      const stateId = textAt(state, "id");
      if (stateId !== undefined) await ask("changeIssue", { id: issue, input: { stateId } });
    },
    async comment(issueId, body) {
      await ask("createComment", { input: { issueId, body } });
    },
    async commented(id) {
      const comment = at(await ask("comment", { id }), "comment");
      return commentOf(comment, at(comment, "issue"));
    },
    async openSession(issueId) {
      const made = await ask("createSession", { input: { issueId } });
      const id = textAt(made, "agentSessionCreateOnIssue", "agentSession", "id");
      if (id === undefined) throw new LinearRefusal("no agent session was made");
      return id;
    },
    async act(agentSessionId, activity) {
      const { type, body } = activity;
      const options = activity.type === "elicitation" ? (activity.options ?? []) : [];
      const choice = { signal: "select", signalMetadata: { options: options.map((one) => ({ ...one })) } };
      const input = { agentSessionId, content: { type, body }, ...(options.length === 0 ? {} : choice) };
      await ask("createActivity", { input });
    },
    async prompted(id) {
      const activity = at(await ask("prompt", { id }), "agentActivity");
      return promptOf(activity, at(activity, "agentSession", "issue"), textAt(activity, "agentSession", "id"));
    },
    async unanswered(viewer, sessions) {
      const said: Said[] = [];
      for (const issue of nodes(await ask("openIssues"), "issues")) {
        const comments = nodes(issue, "comments");
        said.push(...since(comments, viewer).flatMap((comment) => commentOf(comment, issue) ?? []));
        const id = textAt(issue, "id");
        if (!sessions || id === undefined) continue;
        for (const session of nodes(at(await ask("sessions", { id }), "issue"), "agentSessions")) {
          if (textAt(session, "appUser", "id") !== viewer) continue;
          const prompts = since(nodes(session, "activities"), viewer);
          said.push(...prompts.flatMap((prompt) => promptOf(prompt, issue, textAt(session, "id")) ?? []));
        }
      }
      return said;
    },
  };
}

export function linearFailure(error: unknown): SendFailure {
  if (error instanceof LinearRefusal) return { retry: error.limited, message: `linear refuses: ${error.message}` };
  return postFailure(error, "linear");
}

/** Oldest first, what stands after our own last word: everything before has been answered. */
function since(all: readonly Json[], viewer: string): readonly Json[] {
  const ordered = all.toSorted((one, other) => timeOf(one) - timeOf(other));
  return ordered.slice(ordered.findLastIndex((one) => textAt(one, "user", "id") === viewer) + 1);
}

function timeOf(value: Json): number {
  const time = Date.parse(textAt(value, "createdAt") ?? "");
  return Number.isNaN(time) ? 0 : time;
}

function commentOf(comment: Json | undefined, issue: Json | undefined): Said | undefined {
  const id = textAt(comment, "id");
  const body = textAt(comment, "body");
  const on = issueOf(issue);
  if (id === undefined || body === undefined || on === undefined) return undefined;
  const edited = (at(comment, "editedAt") ?? null) !== null;
  return { id, key: id, body, edited, user: userOf(at(comment, "user")), ...on };
}

/** What people write in a session cannot be edited; activities of ours have no body here. */
function promptOf(activity: Json | undefined, issue: Json | undefined, session: string | undefined): Said | undefined {
  const id = textAt(activity, "id");
  const body = textAt(activity, "content", "body");
  const on = issueOf(issue);
  if (id === undefined || body === undefined || on === undefined || session === undefined) return undefined;
  const key = textAt(activity, "sourceComment", "id") ?? id;
  return { id, key, body, edited: false, user: userOf(at(activity, "user")), ...on, session };
}

function issueOf(issue: Json | undefined): Pick<Said, "issue" | "description" | "creator"> | undefined {
  const id = textAt(issue, "id");
  if (id === undefined) return undefined;
  return { issue: id, description: textAt(issue, "description") ?? "", creator: textAt(issue, "creator", "id") };
}

/** What Linear does not say counts against the account. */
function userOf(user: Json | undefined): Said["user"] {
  const id = textAt(user, "id");
  if (id === undefined) return undefined;
  return {
    id,
    active: at(user, "active") === true,
    guest: at(user, "guest") !== false,
    app: at(user, "app") !== false,
  };
}

function nodes(value: Json | undefined, key: string): readonly Json[] {
  const list = at(value, key, "nodes");
  return Array.isArray(list) ? (list as readonly Json[]).filter(isMap) : [];
}
