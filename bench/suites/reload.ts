import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDenied, saferun } from "@saferun/sdk";
import { argsOf, asYaml, faultlessRules } from "./workload.ts";

const GIVEN_UP_MS = 60_000;

/** Milliseconds from an edit of a file of 10,000 rules until calls are judged by it, so many times; every call is answered. */
export async function reloads(times: number): Promise<readonly number[]> {
  const directory = mkdtempSync(path.join(tmpdir(), "saferun-bench-reload-"));
  const file = path.join(directory, "policies.yaml");
  const [first, ...rest] = faultlessRules(1_000, 10);
  if (first === undefined) throw new Error("there are no rules to edit");
  const texts = [asYaml([first, ...rest]), asYaml([{ ...first, then: "deny" }, ...rest])] as const;
  try {
    writeFileSync(file, texts[0]);
    const options = { policies: [file], store: path.join(directory, "store") };
    const tool0 = saferun.wrap(async function tool0(_args: ReturnType<typeof argsOf>) {
      return "ran";
    }, options);
    const isAllowed = async () => !isDenied(await tool0(argsOf(0)));
    const measured: number[] = [];
    for (let time = 1; time <= times; time++) {
      const allowed = time % 2 === 0;
      await until(async () => (await isAllowed()) !== allowed);
      writeFileSync(`${file}.new`, texts[allowed ? 0 : 1]);
      const start = performance.now();
      renameSync(`${file}.new`, file);
      await until(async () => (await isAllowed()) === allowed);
      measured.push(performance.now() - start);
    }
    return measured;
  } finally {
    await saferun.shutdown();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!(await done())) {
    if (performance.now() - start > GIVEN_UP_MS) throw new Error("an edit of the policies never came into force");
    await sleep(5);
  }
}
