/** A bucket and a witness on 127.0.0.1, as far as an anchor uses them. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { formatWitnessKey, type Signer } from "@saferun/core";
import { createWitness, nodeHash } from "../src/index.ts";

const servers: Server[] = [];

export function closeServers(): void {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
}

async function serve(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    answer(request, Buffer.concat(pieces).toString(), response);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** `hangs`: takes requests and answers none. */
export interface Health {
  state: "well" | "hangs" | "fails";
}

/** With object lock; it wants the headers that a real one wants, and lists two objects a page. */
export async function bucket(health: Health = { state: "well" }) {
  const objects = new Map<string, string>();
  /** Seconds since it began, one for each write. */
  const written = new Map<string, number>();
  const problems: string[] = [];
  const url = await serve(({ method, url: target = "", headers }, body, response) => {
    if (health.state === "hangs") return;
    if (health.state === "fails") return void response.writeHead(503).end();
    if (!headers.authorization?.startsWith("AWS4-HMAC-SHA256 Credential=id/")) problems.push("authorization");
    const { pathname: path, searchParams } = new URL(target, "http://bucket");
    if (searchParams.get("list-type") === "2") return void response.writeHead(200).end(listing(searchParams));
    const known = objects.get(path);
    if (method === "GET") return void response.writeHead(known === undefined ? 404 : 200).end(known ?? "");
    const md5 = createHash("md5").update(body).digest("base64");
    if (headers["content-md5"] !== md5) problems.push("content-md5");
    if (headers["x-amz-content-sha256"] !== createHash("sha256").update(body).digest("hex")) problems.push("sha256");
    if (headers["x-amz-object-lock-mode"] !== "COMPLIANCE") problems.push("mode");
    const until = Date.parse(String(headers["x-amz-object-lock-retain-until-date"]));
    if (!(until > Date.now() + 86_400_000)) problems.push("until");
    if (known !== undefined && headers["if-none-match"] === "*") return void response.writeHead(412).end();
    objects.set(path, body);
    written.set(path, written.size);
    response.writeHead(200).end();
  });

  function listing(search: URLSearchParams): string {
    const [prefix, after] = [search.get("prefix") ?? "", search.get("start-after") ?? ""];
    const keys = [...objects.keys()].map((path) => path.slice("/logs/".length)).sort();
    const found = keys.filter((key) => key.startsWith(prefix) && key > after);
    const contents = found.slice(0, 2).map((key) => {
      const at = new Date(Date.UTC(2026, 0, 1) + (written.get(`/logs/${key}`) ?? written.size) * 1_000).toISOString();
      return `<Contents><Key>${key}</Key><LastModified>${at}</LastModified><Size>300</Size></Contents>`;
    });
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${found.length > 2}</IsTruncated>${contents.join("")}</ListBucketResult>`;
  }

  const options = { endpoint: url, region: "eu-central-1", bucket: "logs", accessKeyId: "id", secretAccessKey: "k" };
  return { objects, problems, options };
}

/** SafeRun's own, behind HTTP. */
export async function openWitness(
  of: { readonly logs: readonly string[]; readonly directory: string; readonly signer: Signer },
  health: Health = { state: "well" },
) {
  const server = createWitness(of);
  const url = await serve((request, body, response) => {
    if (health.state === "hangs") return;
    if (health.state === "fails") return void response.writeHead(503).end();
    const answer =
      request.url === "/add-checkpoint" ? server.addCheckpoint(body) : { status: 404, body: "", contentType: "" };
    response.writeHead(answer.status, { "content-type": answer.contentType }).end(answer.body);
  });
  return { url, key: formatWitnessKey(of.signer, nodeHash), directory: of.directory, server };
}
