/** The addresses. Each page is a file of its own that is loaded when it is opened; all of its state is in its address. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { isMap } from "../api/json.ts";
import { RequestProblem } from "../api/problem.ts";
import { filterOf } from "../features/runs/filter.ts";
import { Failure, Skeleton } from "../ui/states.tsx";
import { Shell } from "./shell.tsx";

const root = createRootRoute({ component: Shell });

const inbox = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search) => (typeof search.approval === "string" ? { approval: search.approval } : {}),
  component: lazyRouteComponent(() => import("../features/inbox/page.tsx"), "InboxPage"),
});
const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: filterOf,
  component: lazyRouteComponent(() => import("../features/runs/page.tsx"), "RunsPage"),
});
const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id",
  validateSearch: (search) => ({
    ...(typeof search.step === "number" ? { step: search.step } : {}),
    ...(typeof search.tab === "string" ? { tab: search.tab } : {}),
    ...(search.scale === true ? { scale: true } : {}),
  }),
  component: lazyRouteComponent(() => import("../features/run/page.tsx"), "RunPage"),
});
const comparison = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id/beside/$other",
  validateSearch: (search) => (search.all === true ? { all: true } : {}),
  component: lazyRouteComponent(() => import("../features/comparison/page.tsx"), "ComparisonPage"),
});
const log = createRoute({
  getParentRoute: () => root,
  path: "/log",
  validateSearch: (search) => ({
    ...(typeof search.q === "string" ? { q: search.q } : {}),
    ...(typeof search.entry === "number" ? { entry: search.entry } : {}),
    ...(search.follow === true ? { follow: true } : {}),
    ...(search.verify === true ? { verify: true } : {}),
  }),
  component: lazyRouteComponent(() => import("../features/log/page.tsx"), "LogPage"),
});
const protections = createRoute({
  getParentRoute: () => root,
  path: "/protections",
  component: lazyRouteComponent(() => import("../features/protections/page.tsx"), "ProtectionsPage"),
});
const policies = createRoute({
  getParentRoute: () => root,
  path: "/policies",
  validateSearch: (search) => ({
    ...(typeof search.file === "string" ? { file: search.file } : {}),
    ...(typeof search.panel === "string" ? { panel: search.panel } : {}),
    ...(isMap(search.call) ? { call: search.call } : {}),
  }),
  component: lazyRouteComponent(() => import("../features/policies/page.tsx"), "PoliciesPage"),
});
const agents = createRoute({
  getParentRoute: () => root,
  path: "/agents",
  component: lazyRouteComponent(() => import("../features/agents/page.tsx"), "AgentsPage"),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("../features/settings/page.tsx"), "SettingsPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([inbox, runs, run, comparison, log, protections, policies, agents, settings]),
  defaultPreload: "intent",
  defaultPendingComponent: () => <Skeleton />,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
  defaultNotFoundComponent: () => (
    <Failure error={new RequestProblem(404, "page.missing", "there is no page at this address")} />
  ),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
