/** How the server is, who calls what, the channels, and the log as it grows. */
import { createRoute } from "@hono/zod-openapi";
import { agentId } from "@saferun/core";
import { stream } from "hono/streaming";
import type { Activity, AgentSeen } from "../activity.ts";
import { logEvents } from "../events.ts";
import type { PolicyState } from "../policy-state.ts";
import type { ServerPorts } from "../ports.ts";
import { json, problems, router } from "../route.ts";
import { MOST_RUNS } from "../run-activity.ts";
import { namesIn } from "../run-names.ts";
import * as schema from "../schemas/agents.ts";
import { iso } from "../wire/moment.ts";

const health = createRoute({
  method: "get",
  path: "/health",
  tags: ["about"],
  responses: { 200: json(schema.Health), ...problems },
});

const project = createRoute({
  method: "get",
  path: "/project",
  tags: ["about"],
  summary: "what the project is built with, for the lines that put the gate in front of its agent",
  responses: { 200: json(schema.Project), ...problems },
});

const agents = createRoute({
  method: "get",
  path: "/agents",
  tags: ["agents"],
  summary: "who called which tool, and when last",
  responses: { 200: json(schema.Agents), ...problems },
});

const access = createRoute({
  method: "get",
  path: "/access",
  tags: ["agents"],
  summary: "who may call what by the rules, each answer with a call that gets it",
  responses: { 200: json(schema.Access), ...problems },
});

const names = createRoute({
  method: "get",
  path: "/names",
  tags: ["log"],
  summary: "names that the record knows: agents, environments, tools, whom agents acted for, rules",
  responses: { 200: json(schema.Names), ...problems },
});

const channels = createRoute({
  method: "get",
  path: "/channels",
  tags: ["settings"],
  responses: { 200: json(schema.Channels), ...problems },
});

const testChannel = createRoute({
  method: "post",
  path: "/channels/test",
  tags: ["settings"],
  summary: "send one message that asks nothing",
  request: { body: { ...json(schema.ChannelTestBody), required: true } },
  responses: { 200: json(schema.ChannelTested), ...problems },
});

const events = createRoute({
  method: "get",
  path: "/events",
  tags: ["log"],
  summary: "the log as it grows, as server-sent events named `log`; `Last-Event-ID` goes on where a reader was",
  responses: {
    200: { description: "a stream", content: { "text/event-stream": { schema: schema.LogEvent } } },
    ...problems,
  },
});

/** Whoever was seen last is asked about: agents and models make up names without end. */
const MOST_CALLERS = 50;
const MOST_TOOLS = 200;

export function aboutRoutes(ports: ServerPorts, activity: Activity, stateNow: () => Promise<PolicyState | null>) {
  const { store, clock, hash, person, policies } = ports;

  async function namedAgent(seen: AgentSeen) {
    const { agent: id, runs } = seen;
    const name = (await activity.names.find(id, [...runs].at(-1) ?? "", store)) ?? id;
    // A name with a mask in it is not the one that calls are made under; nor is an id.
    return { ...seen, id, agent: name, named: agentId(name, hash) === id };
  }

  async function agentJson(seen: AgentSeen) {
    const { id, agent, named, environment, first, last, runs, counts, tools } = await namedAgent(seen);
    return {
      agent,
      agent_id: id,
      named,
      environment,
      first_seen: iso(first),
      last_seen: iso(last),
      runs: runs.size,
      counts,
      tools: [...tools].map(([tool, one]) => ({ tool, last_seen: iso(one.last), counts: one.counts })),
    };
  }

  return router()
    .openapi(health, async (c) => {
      const [{ size }, state] = [await store.head(), await stateNow()];
      const status = state?.state === "rejected" ? ("policies_rejected" as const) : ("ok" as const);
      const { name, approver } = person;
      const roles = [...(approver.roles ?? [])];
      return c.json({ status, log: store.logId, entries: size, user: name, roles, ...ports.about }, 200);
    })
    .openapi(project, (c) => c.json(ports.project(), 200))
    .openapi(agents, async (c) => {
      await activity.look();
      const seen = await Promise.all(activity.agents().map(agentJson));
      return c.json({ agents: seen, declared: await policies.tools(), ...activity.range() }, 200);
    })
    .openapi(access, async (c) => {
      await activity.look();
      const seen = activity.agents();
      const called = new Set(seen.flatMap((agent) => [...agent.tools.keys()]));
      const tools = [...called].slice(0, MOST_TOOLS);
      const callers = await Promise.all(seen.slice(0, MOST_CALLERS).map(namedAgent));
      // Rules know agents by their names.
      const askable = callers.filter(({ named }) => named);
      return c.json(await policies.access(askable, tools), 200);
    })
    .openapi(names, async (c) => {
      await activity.look();
      const runs = await store.runs({ limit: MOST_RUNS });
      const nameOf = (id: string) => {
        const name = activity.names.known(id);
        return name !== undefined && agentId(name, hash) === id ? name : id;
      };
      return c.json(namesIn(runs, activity, nameOf), 200);
    })
    .openapi(channels, async (c) => c.json(await ports.channels.list(), 200))
    .openapi(testChannel, async (c) => c.json(await ports.channels.test(c.req.valid("json").target), 200))
    .openapi(events, (c) => {
      const id = c.req.header("last-event-id") ?? "";
      const after = /^\d{1,15}$/.test(id) ? Number(id) : undefined;
      c.header("content-type", "text/event-stream");
      c.header("x-accel-buffering", "no");
      const gone = new AbortController();
      return stream(c, async (out) => {
        out.onAbort(() => gone.abort());
        for await (const text of logEvents({ store, after, signal: gone.signal, sleep: clock.sleep }))
          await out.write(text);
      });
    });
}
