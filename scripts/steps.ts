/** Runs commands one after the other, prints one line each, and the output of those that failed. */
import { spawn } from "node:child_process";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "..");

export interface Step {
  readonly name: string;
  /** A command of `node_modules/.bin` or of the path, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Show the last line of its output also when it succeeds. */
  readonly showsLastLine?: boolean;
  /** Called with its output as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface StepResult {
  readonly ok: boolean;
  /** Standard output and error in the order in which they came. */
  readonly output: string;
  readonly seconds: number;
}

/** Never rejects: a command that cannot be started has failed. */
export function runStep({ command: [command, ...args], onOutput }: Step): Promise<StepResult> {
  const started = performance.now();
  const bin = path.join(ROOT, "node_modules", ".bin");
  const colours = process.stdout.isTTY ? {} : { NO_COLOR: "1", FORCE_COLOR: undefined };
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...colours, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (bytes: string): void => {
    output += bytes;
    onOutput?.(bytes);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  return new Promise((resolve) => {
    const done = (ok: boolean): void => resolve({ ok, output, seconds: (performance.now() - started) / 1000 });
    child.on("error", (error) => {
      keep(`${error.message}\n`);
      done(false);
    });
    child.on("close", (code) => done(code === 0));
  });
}

export function report(name: string, ok: boolean, seconds: number, output: string, note = ""): void {
  const line = `${ok ? "ok  " : "FAIL"} ${name.padEnd(28)} ${seconds.toFixed(1).padStart(6)} s${note === "" ? "" : `  ${note}`}`;
  console.log(line);
  if (!ok) console.log(`\n${output.trimEnd()}\n`);
}

/** @returns how many passed and failed */
export async function runSteps(steps: readonly Step[]): Promise<{ passed: number; failed: number }> {
  let failed = 0;
  for (const step of steps) {
    const result = await runStep(step);
    const note = step.showsLastLine === true ? result.output.trimEnd().split("\n").at(-1) : undefined;
    report(step.name, result.ok, result.seconds, result.output, note);
    if (!result.ok) failed++;
  }
  return { passed: steps.length - failed, failed };
}
