/** Prism as a process on loopback: it answers from a description, and refuses whatever the description does not allow. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";

const PRISM = path.join(
  path.dirname(createRequire(import.meta.url).resolve("@stoplight/prism-cli/package.json")),
  "dist/index.js",
);

export interface Prism {
  readonly url: string;
  /** What it said of each violation so far. */
  violations(): readonly string[];
  close(): Promise<void>;
}

/** Plays the vendor. */
export function startMock(description: string): Promise<Prism> {
  return start(["mock"], [description]);
}

/** Stands between the vendor's deliveries and whoever takes them, and checks both ways. */
export function startProxy(description: string, upstream: string): Promise<Prism> {
  return start(["proxy"], [description, upstream]);
}

async function start(command: readonly string[], operands: readonly string[]): Promise<Prism> {
  const port = await freePort();
  const options = ["--errors", "--host", "127.0.0.1", "--port", String(port)];
  const child = spawn(process.execPath, [PRISM, ...command, ...options, ...operands], {
    cwd: import.meta.dirname,
    env: { PATH: process.env.PATH, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("Prism is listening on")) resolve();
      });
    }
    child.once("exit", () => reject(new Error(`prism did not start: ${said}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    violations: () => said.split("\n").filter((line) => /violation|\[VALIDATOR\].*error/i.test(line)),
    async close() {
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
