/** The few questions and changes that the Linear channel needs, over GraphQL. */
import type { Json } from "@saferun/core";
import type { Failure } from "../delivery.ts";
import { at, isMap, jsonOf, textAt } from "../json-body.ts";
import { post, postFailure } from "../post.ts";
import { printable, short } from "../shown.ts";

/** Linear waits five seconds for an answer to a webhook. */
const TIMEOUT_MS = 2_500;

/** Linear understood and refused. */
class LinearRefusal extends Error {
  override readonly name = "LinearRefusal";
}

export interface Commented {
  readonly body: string;
  /** Undefined: written by no person of this workspace. */
  readonly user:
    | { readonly id: string; readonly active: boolean; readonly guest: boolean; readonly app: boolean }
    | undefined;
  readonly issue: string;
  readonly description: string;
  /** The account that made the issue. */
  readonly creator: string | undefined;
}

export interface LinearApi {
  /** Our own account. */
  viewer(): Promise<string>;
  team(key: string): Promise<string>;
  createIssue(teamId: string, title: string, description: string): Promise<string>;
  /** Moves an issue to the team's first state of that kind, where it has one. */
  finish(issue: string, kind: "completed" | "canceled"): Promise<void>;
  comment(issue: string, body: string): Promise<void>;
  commented(id: string): Promise<Commented | undefined>;
}

export function createLinearApi(token: string, apiUrl = "https://api.linear.app/graphql"): LinearApi {
  // A personal key stands alone, a token of an app is a bearer.
  const authorization = token.startsWith("lin_api_") ? token : `Bearer ${token}`;

  async function ask(query: string, variables: Readonly<Record<string, Json>>): Promise<Json | undefined> {
    const body = JSON.stringify({ query, variables });
    const answer = jsonOf(await post(apiUrl, { authorization }, body, TIMEOUT_MS));
    const errors = at(answer, "errors");
    if (Array.isArray(errors) && errors.length > 0) {
      throw new LinearRefusal(short(textAt((errors as readonly Json[])[0], "message") ?? "no reason given", 200));
    }
    return at(answer, "data");
  }

  return {
    viewer: async () => textAt(await ask("query { viewer { id } }", {}), "viewer", "id") ?? "",
    async team(key) {
      const data = await ask("query { teams(first: 250) { nodes { id key } } }", {});
      const found = nodes(data, "teams").find((team) => textAt(team, "key") === key);
      const id = textAt(found, "id");
      if (id === undefined) throw new LinearRefusal(`there is no team \`${printable(key)}\``);
      return id;
    },
    async createIssue(teamId, title, description) {
      const query = "mutation($input: IssueCreateInput!) { issueCreate(input: $input) { issue { id } } }";
      const id = textAt(await ask(query, { input: { teamId, title, description } }), "issueCreate", "issue", "id");
      if (id === undefined) throw new LinearRefusal("no issue was made");
      return id;
    },
    async finish(issue, kind) {
      const states = "query($id: String!) { issue(id: $id) { team { states(first: 250) { nodes { id type } } } } }";
      const team = at(await ask(states, { id: issue }), "issue", "team");
      const stateId = textAt(
        nodes(team, "states").find((state) => textAt(state, "type") === kind),
        "id",
      );
      if (stateId === undefined) return;
      const update =
        "mutation($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }";
      await ask(update, { id: issue, input: { stateId } });
    },
    async comment(issueId, body) {
      const query = "mutation($input: CommentCreateInput!) { commentCreate(input: $input) { success } }";
      await ask(query, { input: { issueId, body } });
    },
    async commented(id) {
      const fields = "body user { id active guest app } issue { id description creator { id } }";
      const comment = at(await ask(`query($id: String!) { comment(id: $id) { ${fields} } }`, { id }), "comment");
      const [body, issue] = [textAt(comment, "body"), textAt(comment, "issue", "id")];
      if (body === undefined || issue === undefined) return undefined;
      return {
        ...{ body, issue, user: userOf(at(comment, "user")) },
        description: textAt(comment, "issue", "description") ?? "",
        creator: textAt(comment, "issue", "creator", "id"),
      };
    },
  };
}

export function linearFailure(error: unknown): Failure {
  if (error instanceof LinearRefusal) return { retry: false, message: `linear refuses: ${error.message}` };
  return postFailure(error, "linear");
}

/** What Linear does not say counts against the account. */
function userOf(user: Json | undefined): Commented["user"] {
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
