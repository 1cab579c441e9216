// Who may import whom. The table stands in AGENTS.md; every rule here has a case in scripts/boundaries.test.ts that breaks it.
import { existsSync, readdirSync, readFileSync } from "node:fs";

const TEST = "\\.test\\.ts$|/test/";
const PACKAGE = "^packages/([^/]+)/";
const OWN = "^packages/$1/";
const DRIVER = "(memory|sqlite|postgres|slack|linear|pagerduty|webhook|email)";

/** Stands for the modules that come with Node. */
const NODE = "node:";
const npm = (name) => `node_modules/${name}/`;

/** Files that a package offers to others: the sources behind its `exports`. */
const doors = readdirSync(new URL("packages/", import.meta.url)).flatMap((name) => {
  const manifest = new URL(`packages/${name}/package.json`, import.meta.url);
  if (!existsSync(manifest)) return [];
  const { exports = {} } = JSON.parse(readFileSync(manifest, "utf8"));
  return Object.values(exports).flatMap(({ "@saferun/source": source }) =>
    typeof source === "string"
      ? [`^packages/${name}/${source.slice(2).replaceAll(".", "\\.").replaceAll("*", "[^/]+")}$`]
      : [],
  );
});

/** Sources of package `name` may import themselves, `packages`, and what `more` matches; nothing else. */
function only(name, packages, more, comment) {
  const allowed = [name, ...packages].map((own) => `^packages/${own}/`);
  return {
    name: `${name}-imports`,
    comment,
    severity: "error",
    from: { path: `^packages/${name}/(src|bin)/`, pathNot: TEST },
    to: {
      pathNot: [...allowed, ...more.filter((rule) => rule !== NODE)],
      ...(more.includes(NODE) ? { dependencyTypesNot: ["core"] } : {}),
    },
  };
}

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-cycles",
      comment: "a cycle that any type-only import breaks is none at run time",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "resolvable",
      comment: "a path from the server's root is an address in a page, not a file; the peers of bench are its own",
      severity: "error",
      from: { pathNot: "^bench/" },
      to: { couldNotResolve: true, pathNot: "^/" },
    },
    {
      name: "front-door",
      comment: "another package is imported through its `exports`, never by a path into it",
      severity: "error",
      from: { path: PACKAGE },
      to: { path: "^packages/", pathNot: [OWN, ...doors] },
    },
    {
      name: "examples-front-door",
      severity: "error",
      from: { path: "^(examples|bench|spec|scripts)/" },
      to: { path: "^packages/", pathNot: doors },
    },
    {
      name: "nobody-imports-the-rim",
      comment: "examples, bench, spec and scripts stand outside: no package knows them",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^(examples|bench|spec|scripts)/" },
    },
    {
      name: "sources-do-not-import-tests",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: TEST },
      to: { path: TEST },
    },
    only("core", [], [], "the core decides: no I/O, no clock, no randomness, no dependency"),
    {
      name: "core-tests-stay-home",
      comment: "tests beside the sources need nothing but the core; those in test/ put it together with real stores",
      severity: "error",
      from: { path: "^packages/core/src/" },
      to: { path: "^(packages/(?!core/)|examples/)" },
    },
    {
      name: "engines-apart",
      comment: "policy, provenance, breaker, approval and log do not know one another",
      severity: "error",
      from: { path: "^packages/core/src/(policy|provenance|breaker|approval|log)(?:/|\\.ts$)", pathNot: TEST },
      to: {
        path: "^packages/core/src/(policy|provenance|breaker|approval|log)(/|\\.ts$)",
        pathNot: "^packages/core/src/$1(/|\\.ts$)",
      },
    },
    {
      name: "engines-below-the-gate",
      comment: "gate, answer, outbox, upkeep, replay and index put the engines together; no engine knows them",
      severity: "error",
      from: { path: "^packages/core/src/(policy|provenance|breaker|approval|log)(/|\\.ts$)", pathNot: TEST },
      to: { path: "^packages/core/src/(answer/|gate/|outbox/|upkeep/|replay/|(gate|index)\\.ts$)" },
    },
    only("document", ["core"], [npm("yaml")], "text to tree: the core's types and the YAML parser"),
    {
      name: "yaml-lives-in-document",
      severity: "error",
      from: { pathNot: "^packages/document/" },
      to: { path: npm("yaml") },
    },
    only("store", ["core"], [NODE], "ports to a database: core and its own driver"),
    {
      name: "stores-apart",
      comment: "the stores share a contract suite and no code",
      severity: "error",
      from: { path: `^packages/(store|channels)/src/${DRIVER}/`, pathNot: TEST },
      to: { path: `^packages/$1/src/${DRIVER}/`, pathNot: "^packages/$1/src/$2/" },
    },
    only(
      "sdk",
      ["core", "document", "store", "channels"],
      [NODE],
      "frameworks are known by duck typing, never imported",
    ),
    only("channels", ["core"], [NODE, npm("@slack/[^/]+"), npm("nodemailer")], "core and the channel's own driver"),
    ...[
      ["slack", "@slack/[^/]+"],
      ["email", "nodemailer"],
    ].map(([channel, driver]) => ({
      name: `${channel}-driver`,
      comment: "a vendor's package is known to its own channel only",
      severity: "error",
      from: { path: "^packages/channels/src/", pathNot: [TEST, `^packages/channels/src/${channel}/`] },
      to: { path: npm(driver) },
    })),
    {
      name: "server-apart",
      severity: "error",
      from: { path: "^packages/(server|gateway)/", pathNot: TEST },
      to: { path: "^packages/(sdk|server|gateway|cli)/", pathNot: OWN },
    },
    {
      name: "nobody-imports-cli",
      comment: "bench measures what the commands do",
      severity: "error",
      from: { pathNot: "^(packages/cli|bench)/" },
      to: { path: "^packages/cli/" },
    },
    {
      name: "cli-not-dashboard",
      severity: "error",
      from: { path: "^packages/cli/" },
      to: { path: "^apps/dashboard/src/" },
    },
    {
      name: "dashboard-imports",
      comment: "the core verifies logs in the browser; the server gives types; nothing else of ours but in its tests",
      severity: "error",
      from: { path: "^apps/dashboard/(?!test/)", pathNot: TEST },
      to: { path: "^(packages/(?!core/|server/)|apps/(?!dashboard/))" },
    },
    {
      name: "dashboard-server-types",
      severity: "error",
      from: { path: "^apps/dashboard/" },
      to: { path: "^packages/server/", dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    // TypeScript 7 has no compiler API: without another parser nothing is seen and everything passes.
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/" },
    moduleSystems: ["es6", "cjs"],
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@saferun/source", "import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
    },
  },
};
