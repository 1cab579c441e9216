import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SOURCES = new URL("../src/", import.meta.url).href;
const SCRIPT = fileURLToPath(new URL("./verifier-process.ts", import.meta.url));

describe("the verifier's own entry", () => {
  it("loads the log's mathematics and what it stands on, nothing of the gate and nothing of Node", () => {
    const options = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
    const loaded = execFileSync(process.execPath, [...options, SCRIPT], { encoding: "utf8" }).split("\n");
    const own = loaded.map((url) => (url.startsWith(SOURCES) ? url.slice(SOURCES.length) : url));
    const beside = own.filter((path) => !path.startsWith("log/")).sort();
    expect(beside).toEqual(["call.ts", "errors.ts", "limits.ts", "value/bytes.ts", "value/json.ts", "verifier.ts"]);
    expect(own.filter((path) => path.startsWith("log/"))).toEqual(expect.arrayContaining(["log/verify.ts"]));
  });
});
