/** Anchors as text, for a setting or an environment variable: addresses with spaces between them. */
import { SafeRunError } from "@saferun/core";
import type { Anchor } from "./anchor.ts";
import { createFileAnchor, createLineAnchor } from "./local.ts";
import { createObjectStoreAnchor } from "./object-store.ts";
import { createWitnessAnchor } from "./witness-client.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * - `file:///mnt/worm/my-agent.checkpoints`
 * - `stdout:`, `stderr:`: one line each
 * - `s3://BUCKET/PREFIX?endpoint=https://…&region=…`, with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`
 * - `witness+https://HOST/PATH#NAME+ID+KEY`
 *
 * In this order they are used: a witness before a file leaves its signature in the file.
 * @throws SafeRunError `option.invalid` for anything else.
 */
export function parseAnchors(text: string, environment: Environment = process.env): Anchor[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((address) => parseAnchor(address, environment));
}

function parseAnchor(address: string, environment: Environment): Anchor {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  switch (url?.protocol) {
    case "file:":
      return createFileAnchor(decodeURIComponent(url.pathname));
    case "stdout:":
      return createLineAnchor("stdout", (line) => process.stdout.write(`${line}\n`));
    case "stderr:":
      return createLineAnchor("stderr", (line) => process.stderr.write(`${line}\n`));
    case "s3:":
      return objectStore(url, environment);
    case "witness+https:":
    case "witness+http:": {
      const key = decodeURIComponent(url.hash.slice(1));
      const [target = ""] = address.slice("witness+".length).split("#");
      return createWitnessAnchor({ url: target, key });
    }
    default:
      throw invalid(address, "expected file:, stdout:, stderr:, s3: or witness+https:");
  }
}

function objectStore(url: URL, environment: Environment): Anchor {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION } = environment;
  const region = url.searchParams.get("region") ?? AWS_REGION;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw invalid(url.href, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
  }
  if (!region) throw invalid(url.href, "it needs a region: `?region=`, or AWS_REGION");
  const prefix = decodeURIComponent(url.pathname.slice(1));
  return createObjectStoreAnchor({
    endpoint: url.searchParams.get("endpoint") ?? `https://s3.${region}.amazonaws.com`,
    region,
    bucket: url.hostname,
    ...(prefix === "" ? {} : { prefix: prefix.endsWith("/") ? prefix : `${prefix}/` }),
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  });
}

function invalid(address: string, why: string): SafeRunError {
  return new SafeRunError("option.invalid", `\`${address}\` is no anchor: ${why}`);
}
