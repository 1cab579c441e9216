/** Everything that is said to Linear. One place, so that it can be checked against Linear's published schema. */

const USER = "user { id active guest app }";
const ISSUE = "issue { id description creator { id } }";
const PROMPT = `id createdAt ${USER} sourceComment { id } content { ... on AgentActivityPromptContent { body } }`;

export const DOCUMENTS = {
  viewer: "query { viewer { id } }",
  teams: "query { teams(first: 250) { nodes { id key } } }",
  createIssue: "mutation($input: IssueCreateInput!) { issueCreate(input: $input) { issue { id } } }",
  states: "query($id: String!) { issue(id: $id) { team { states(first: 250) { nodes { id type } } } } }",
  changeIssue: "mutation($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }",
  createComment: "mutation($input: CommentCreateInput!) { commentCreate(input: $input) { success } }",
  comment: `query($id: String!) { comment(id: $id) { id body editedAt ${USER} ${ISSUE} } }`,
  /**
   * Our own issues that are still open, those first on which something happened last, with what was said on them. Linear
   * counts what could be asked for, 10,000 a query and 250,000 an hour: this is some 1,800, each minute.
   */
  openIssues: `query { issues(first: 25, orderBy: updatedAt, filter: { creator: { isMe: { eq: true } }, state: { type: { nin: ["completed", "canceled"] } } }) { nodes { id description creator { id } comments(first: 25) { nodes { id body createdAt editedAt ${USER} } } } } }`,
  createSession:
    "mutation($input: AgentSessionCreateOnIssue!) { agentSessionCreateOnIssue(input: $input) { agentSession { id } } }",
  createActivity: "mutation($input: AgentActivityCreateInput!) { agentActivityCreate(input: $input) { success } }",
  prompt: `query($id: String!) { agentActivity(id: $id) { ${PROMPT} agentSession { id ${ISSUE} } } }`,
  sessions: `query($id: String!) { issue(id: $id) { agentSessions(first: 2) { nodes { id appUser { id } activities(first: 10) { nodes { ${PROMPT} } } } } } }`,
} as const;
