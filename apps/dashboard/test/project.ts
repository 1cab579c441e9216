/** A project as somebody has it before SafeRun: a package.json, a policy, and what is installed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Where each package that a project may have installed lies here; all of them are the real ones. */
const PACKAGES = {
  "@saferun/sdk": "packages/sdk",
  "@ai-sdk/provider": "node_modules/@ai-sdk/provider",
  "@types/node": "node_modules/@types/node",
  ai: "node_modules/ai",
  ai6: "node_modules/ai6",
} as const;

export interface Project {
  readonly cwd: string;
  /** Where this account keeps what is not of the project. */
  readonly state: string;
  write(file: string, text: string): void;
  install(...names: readonly (keyof typeof PACKAGES)[]): void;
  /** What it prints, when it has ended; an error with it where it fails. */
  node(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export function makeProject(manifest: object): Project {
  const root = mkdtempSync(join(tmpdir(), "saferun-first-"));
  const cwd = join(root, "project");
  const state = join(root, "state");
  const children = new Set<ChildProcess>();
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    writeFileSync(join(cwd, file), text);
  };
  write("package.json", JSON.stringify(manifest));
  return {
    cwd,
    state,
    write,
    install(...names) {
      for (const name of names) {
        const link = join(cwd, "node_modules", name);
        mkdirSync(dirname(link), { recursive: true });
        symlinkSync(join(ROOT, PACKAGES[name]), link);
      }
    },
    async node(...args) {
      const child = spawn(
        process.execPath,
        ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning", ...args],
        { cwd, env: { PATH: process.env.PATH, HOME: cwd, SAFERUN_STATE_DIR: state } },
      );
      children.add(child);
      let [told, printed] = ["", ""];
      child.stderr.on("data", (piece: Buffer) => {
        told += piece.toString();
      });
      child.stdout.on("data", (piece: Buffer) => {
        printed += piece.toString();
      });
      const [code] = (await once(child, "close")) as [number | null];
      children.delete(child);
      if (code !== 0) throw new Error(`it ended with ${code}: ${told}${printed}`);
      return printed;
    },
    async close() {
      for (const child of children) {
        child.kill("SIGKILL");
        await once(child, "close");
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Refunds over $50 are denied. */
export const FIRST_POLICY = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
tools:
  refund: { kind: write }
rules:
  - { id: refund.small, tool: refund, then: allow, when: args.amount <= 5000 }
`;
