/**
 * Linear as its schema documents it: the emulator for issues, comments and people, with what it lacks put in front of it.
 * It does not know when a comment was edited, filters issues by other words, and its agent sessions take other inputs than
 * Linear's; those are played here, with the documented inputs and nothing else.
 */
import type { Json, JsonObject } from "@saferun/core";
import { DOCUMENTS } from "../src/linear/documents.ts";
import { type Front, openFront, type Passed } from "./front.ts";

interface Activity {
  readonly id: string;
  readonly createdAt: string;
  readonly content: JsonObject;
  readonly signal: Json;
  readonly signalMetadata: Json;
  readonly user: JsonObject;
}

export interface Session {
  readonly id: string;
  readonly issue: string;
  readonly appUser: string;
  status: "pending" | "active" | "awaitingInput" | "complete" | "error";
  readonly activities: Activity[];
}

export interface LinearVendor extends Front {
  readonly sessions: Map<string, Session>;
  /** A person writes or chooses in a session; what the webhook says of it. */
  prompt(session: Session, user: JsonObject, body: string, signal?: string): JsonObject;
}

const USER = "id active guest app";
let count = 0;

export async function openLinearVendor(emulator: string): Promise<LinearVendor> {
  const front = await openFront(emulator);
  const sessions = new Map<string, Session>();

  async function ask(passed: Passed, query: string, variables: JsonObject = {}): Promise<JsonObject> {
    const headers = { "content-type": "application/json", authorization: passed.authorization };
    const response = await fetch(`${emulator}/graphql`, {
      method: "POST",
      headers,
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: JsonObject; errors?: Json };
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  const viewer = async (passed: Passed) => (await ask(passed, `query { viewer { ${USER} } }`)).viewer as JsonObject;
  const issue = async (passed: Passed, id: string) =>
    (await ask(passed, "query($id: String!) { issue(id: $id) { id description creator { id } } }", { id })).issue;

  const played: Readonly<Record<string, (passed: Passed, variables: JsonObject) => Promise<JsonObject>>> = {
    [DOCUMENTS.createSession]: async (passed, { input }) => {
      const { issueId } = only(input, ["issueId"], ["externalLink", "externalUrls"]);
      const id = `session-${++count}`;
      const appUser = String((await viewer(passed)).id);
      sessions.set(id, { id, issue: String(issueId), appUser, status: "pending", activities: [] });
      return { agentSessionCreateOnIssue: { agentSession: { id } } };
    },
    [DOCUMENTS.createActivity]: async (passed, { input }) => {
      const optional = ["contextualMetadata", "ephemeral", "id", "signal", "signalMetadata"];
      const { agentSessionId, content, signal, signalMetadata } = only(input, ["agentSessionId", "content"], optional);
      const session = sessions.get(String(agentSessionId));
      if (session === undefined) throw new Error("Entity not found: AgentSession");
      const { type } = only(content, ["type", "body"], []);
      if (type !== "elicitation" && type !== "response") throw new Error(`unexpected activity ${String(type)}`);
      if (signal !== undefined) optionsOf(signal, signalMetadata);
      add(session, await viewer(passed), content as JsonObject, signal ?? null, signalMetadata ?? null);
      session.status = type === "response" ? "complete" : "awaitingInput";
      return { agentActivityCreate: { success: true } };
    },
    [DOCUMENTS.prompt]: async (passed, { id }) => {
      for (const session of sessions.values()) {
        const found = session.activities.find((activity) => activity.id === id);
        if (found === undefined) continue;
        const agentSession = { id: session.id, issue: (await issue(passed, session.issue)) ?? null };
        return { agentActivity: { ...shown(found), agentSession } };
      }
      throw new Error("Entity not found: AgentActivity");
    },
    [DOCUMENTS.sessions]: async (_, { id }) => {
      const nodes = [...sessions.values()]
        .filter((session) => session.issue === id)
        .map((session) => ({
          id: session.id,
          appUser: { id: session.appUser },
          activities: { nodes: session.activities.map(shown) },
        }));
      return { issue: { agentSessions: { nodes } } };
    },
    [DOCUMENTS.openIssues]: async (passed) => {
      const query = DOCUMENTS.openIssues
        .replace(/\(first: 25, orderBy: updatedAt, filter: .*? \}\)/, "(last: 50)")
        .replace("description", "description state { type }")
        .replace("editedAt", "updatedAt");
      const { id } = await viewer(passed);
      const { issues } = (await ask(passed, query)) as { issues: { nodes: (JsonObject & Found)[] } };
      const open = issues.nodes.filter(
        ({ creator, state }) => creator.id === id && !["completed", "canceled"].includes(state.type),
      );
      return {
        issues: { nodes: open.map((one) => ({ ...one, comments: { nodes: one.comments.nodes.map(edited) } })) },
      };
    },
    [DOCUMENTS.comment]: async (passed, variables) => {
      const query = DOCUMENTS.comment.replace("editedAt", "createdAt updatedAt");
      const { comment } = await ask(passed, query, variables);
      return { comment: comment === null ? null : edited(comment as JsonObject) };
    },
  };

  front.faults.push((passed) => {
    if (passed.method !== "POST" || passed.body === "") return undefined;
    const { query, variables = {} } = JSON.parse(passed.body) as { query: string; variables?: JsonObject };
    const play = Object.hasOwn(played, query) ? played[query] : undefined;
    return play?.(passed, variables).then(
      (data) => Response.json({ data }),
      (error: Error) => Response.json({ errors: [{ message: error.message }] }),
    );
  });

  return {
    ...front,
    sessions,
    prompt(session, user, body, signal) {
      const content = { type: "prompt", body };
      session.status = "active";
      const { id, createdAt } = add(session, user, content, signal ?? null, null);
      const times = { createdAt, updatedAt: createdAt };
      const more = signal === undefined ? {} : { signal };
      const activity = { id, agentSessionId: session.id, content, userId: user.id ?? null, ...times, ...more };
      return {
        type: "AgentSessionEvent",
        action: "prompted",
        appUserId: session.appUser,
        oauthClientId: "oauth",
        organizationId: "organization",
        createdAt,
        agentSession: {
          id: session.id,
          issueId: session.issue,
          appUserId: session.appUser,
          status: "active",
          ...times,
        },
        agentActivity: activity,
      };
    },
  };
}

interface Found {
  readonly creator: { readonly id: string };
  readonly state: { readonly type: string };
  readonly comments: { readonly nodes: readonly JsonObject[] };
}

function add(session: Session, user: JsonObject, content: JsonObject, signal: Json, signalMetadata: Json): Activity {
  const activity = {
    id: `activity-${++count}`,
    createdAt: new Date().toISOString(),
    content,
    signal,
    signalMetadata,
    user,
  };
  session.activities.push(activity);
  return activity;
}

/** As the query asks for it: only prompts have a body. */
function shown({ id, createdAt, content, user }: Activity): JsonObject {
  return {
    id,
    createdAt,
    user,
    sourceComment: null,
    content: content.type === "prompt" ? { body: content.body ?? "" } : {},
  };
}

function edited({ createdAt, updatedAt, ...comment }: JsonObject): JsonObject {
  return { ...comment, createdAt: createdAt ?? null, editedAt: createdAt === updatedAt ? null : (updatedAt ?? null) };
}

function only(value: Json | undefined, needed: readonly string[], optional: readonly string[]): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("Argument Validation Error");
  const keys = Object.keys(value);
  const wrong = keys.filter((key) => !needed.includes(key) && !optional.includes(key));
  if (wrong.length > 0 || needed.some((key) => !keys.includes(key))) throw new Error("Argument Validation Error");
  return value as JsonObject;
}

function optionsOf(signal: Json, metadata: Json | undefined): void {
  if (signal !== "select") throw new Error("Argument Validation Error");
  const { options } = only(metadata, ["options"], []);
  if (!Array.isArray(options) || options.length === 0) throw new Error("Argument Validation Error");
  for (const option of options as readonly Json[]) only(option, ["value"], ["label"]);
}
