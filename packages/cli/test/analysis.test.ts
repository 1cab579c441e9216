import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { analyse } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { POLICY } from "./sample.ts";

const FAULTS = fileURLToPath(new URL("fixtures/faults.yaml", import.meta.url));
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

let place: Place;
beforeEach(() => {
  place = makePlace();
  copyFileSync(FAULTS, join(place.cwd, "policies.yaml"));
});
afterEach(() => place.remove());

interface Issue {
  readonly code: string;
  readonly line: number;
  readonly severity: string;
  readonly rule?: string;
  readonly example?: object;
}

/** `# code, code` after the id of a rule or the name of a tool: what is to be found on that line. */
const SEEDED = readFileSync(FAULTS, "utf8")
  .split("\n")
  .flatMap((text, index) =>
    (/(?:id: \S+|\}) # (.+)$/.exec(text)?.[1] ?? "")
      .split(", ")
      .filter((code) => code !== "")
      .map((code) => `${index + 1} ${code}`),
  );

async function issues(args: readonly string[] = []): Promise<readonly Issue[]> {
  const { issues } = (await saferun(place, ["check", "--json", ...args])).json();
  return issues as readonly Issue[];
}

const ids = (found: readonly Issue[]) => found.map(({ line, code }) => `${line} ${code}`);

/** Ten rules a tool: an allow rule in each of ten countries. */
function faultless(tools: number): string {
  const names = Array.from({ length: tools }, (_, index) => `many.tool${index}`);
  const rules = names.flatMap((name) =>
    Array.from(
      { length: 10 },
      (_, country) =>
        `  - id: ${name}.${country}\n    tool: ${name}\n    when: args.n > 0 && args.n < 9 && args.country == "c${country}"\n    then: allow\n`,
    ),
  );
  const declared = names.map((name) => `  ${name}: { kind: write }\n`);
  return `saferun: policy/v1\ntools:\n${declared.join("")}rules:\n${rules.join("")}`;
}

describe("saferun check, the analysis", () => {
  it("[P10~] finds every kind of seeded fault in one run, with code, line and a call that shows it", async () => {
    expect(SEEDED.length).toBeGreaterThan(15);
    const found = await issues();
    expect([...ids(found)].sort()).toEqual([...SEEDED].sort());
    for (const issue of found) expect(issue).toMatchObject({ severity: "warning", example: { env: "prod" } });
  });

  it("[P10] finds the same, and nothing else, among 10,000 rules without a fault", async () => {
    writeFileSync(join(place.cwd, "many.yaml"), faultless(1_000));
    const found = await issues(["policies.yaml", "many.yaml"]);
    expect(ids(found).sort()).toEqual([...SEEDED].sort());
  });

  it("gives examples that `saferun eval` takes as they are", async () => {
    const examples = (await issues()).map(({ example }) => JSON.stringify(example));
    const told = await saferun(
      place,
      ["eval", "--policies", "policies.yaml", "--calls", "-"],
      `${examples.join("\n")}\n`,
    );
    const lines = told.stdout.trim().split("\n");
    expect(lines).toHaveLength(examples.length);
    expect(told.stdout).not.toContain("call.malformed");
  });

  it("[P10~] analyses the rules that type-check beside others that do not", async () => {
    const broken = [
      "  - { id: broken.function, tool: lookup, when: args.id.bogus(), then: allow }",
      "  - { id: broken.key, tool: lookup, wehn: args.id == 1, then: deny }",
      "  - { id: broken.tool, tool: lookpu, then: deny }",
      "  - { id: broken.argument, tool: stock.set, when: args.cuont > 0, then: allow }",
      "  - { id: broken.kind, tool: stock.set, when: args.count == 'x', then: deny }",
      '  - { id: broken.type, tool: lookup, when: 1 + "a" == 2, then: deny }',
    ];
    writeFileSync(join(place.cwd, "policies.yaml"), `${readFileSync(FAULTS, "utf8")}${broken.join("\n")}\n`);
    const found = await issues();
    const errors = found.filter(({ severity }) => severity === "error").map(({ code }) => code);
    expect(errors).toEqual([
      "unknown-function",
      "unknown-key",
      "unknown-tool",
      "unknown-arg",
      "wrong-type",
      "wrong-type",
    ]);
    expect(ids(found.filter(({ severity }) => severity === "warning")).sort()).toEqual([...SEEDED].sort());
  });

  it("fails on warnings only with `--strict`", async () => {
    const text = await saferun(place, ["check"]);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/call: \{"tool":"payout","args":\{"amount":-1\}/);
    expect((await saferun(place, ["check", "--strict"])).code).toBe(1);
    writeFileSync(join(place.cwd, "policies.yaml"), POLICY);
    expect((await saferun(place, ["check", "--strict"])).code).toBe(0);
  });

  it("finds nothing in the policies of the example and of the documents", () => {
    const pages = ["README.md", "docs/policies.md", "docs/getting-started.md"].flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = ""]) => text),
    );
    const whole = pages.filter((text) => /^rules:/m.test(text)).map(complete);
    expect(whole.length).toBeGreaterThan(2);
    const example = readFileSync(join(ROOT, "examples/support-agent/policies.yaml"), "utf8");
    for (const text of [example, POLICY, ...whole]) {
      const loaded = loadPolicies([{ file: "policies.yaml", text }], { hash: nodeHash, analyse });
      expect(loaded.ok ? loaded.warnings : loaded.issues, text).toEqual([]);
    }
  });
});

/** A piece of a page as a file of its own. */
function complete(text: string): string {
  const head = "saferun: policy/v1\nenvironments: { prod: { unmatched: deny } }\n";
  const tools = [...new Set([...text.matchAll(/^ {4}tool: (\S+)$/gm)].map(([, name]) => name))];
  if (text.startsWith("saferun:")) return text;
  return `${head}tools:\n${tools.map((tool) => `  ${tool}: { kind: write }\n`).join("")}${text}`;
}

describe("saferun check --format sarif", () => {
  it("prints SARIF 2.1.0 with every issue at its place", async () => {
    const told = await saferun(place, ["check", "--format", "sarif"]);
    expect(told.code).toBe(0);
    const log = JSON.parse(told.stdout) as Sarif;
    expect(log.version).toBe("2.1.0");
    expect(log.$schema).toMatch(/^https:\/\/.*sarif-schema-2\.1\.0\.json$/);
    const [run, ...more] = log.runs;
    expect(more).toEqual([]);
    const { driver } = run?.tool ?? { driver: { name: "", version: "", rules: [] } };
    expect(driver.name).toBe("saferun");
    expect(new Set(driver.rules.map(({ id }) => id)).size).toBe(driver.rules.length);
    for (const rule of driver.rules) {
      expect(rule.shortDescription.text.length).toBeGreaterThan(20);
      expect(rule.help.text).toContain("docs/analysis.md#");
      expect(["warning", "error"]).toContain(rule.defaultConfiguration.level);
    }
    const results = run?.results ?? [];
    expect(results.map((result) => `${regionOf(result)?.startLine} ${result.ruleId}`).sort()).toEqual(
      [...SEEDED].sort(),
    );
    for (const result of results) {
      expect(driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
      expect(result.level).toBe("warning");
      expect(result.message.text).not.toBe("");
      expect(result.locations).toHaveLength(1);
      expect(result.locations[0]?.physicalLocation.artifactLocation.uri).toBe("policies.yaml");
      expect(regionOf(result)?.startColumn).toBeGreaterThan(0);
      expect(result.properties.example).toMatchObject({ env: "prod" });
    }
  });

  it("says errors as errors, and which file by a relative address", async () => {
    writeFileSync(join(place.cwd, "a b.yaml"), "saferun: policy/v1\nrulse: []\n");
    const told = await saferun(place, ["check", "a b.yaml", "--format", "sarif"]);
    expect(told.code).toBe(1);
    const [result] = (JSON.parse(told.stdout) as Sarif).runs[0]?.results ?? [];
    expect(result).toMatchObject({ level: "error" });
    expect(result?.locations[0]?.physicalLocation.artifactLocation.uri).toBe("a%20b.yaml");
  });
});

function regionOf(result: SarifResult) {
  return result.locations[0]?.physicalLocation.region;
}

/** The part of SARIF 2.1.0 that is printed: sections 3.13, 3.14, 3.19, 3.27 and 3.49 of the standard. */
interface Sarif {
  readonly $schema: string;
  readonly version: string;
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly name: string;
        readonly version: string;
        readonly rules: readonly {
          readonly id: string;
          readonly shortDescription: { readonly text: string };
          readonly help: { readonly text: string };
          readonly defaultConfiguration: { readonly level: string };
        }[];
      };
    };
    readonly results: readonly SarifResult[];
  }[];
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number; readonly startColumn: number };
    };
  }[];
  readonly properties: { readonly example?: object };
}

describe("saferun access", () => {
  it("shows who may call what, each answer with a call that gets it", async () => {
    writeFileSync(join(place.cwd, "policies.yaml"), POLICY);
    const told = await saferun(place, ["access", "--tool", "stripe.refund", "--environment", "prod"]);
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/^AGENT +ENV +TOOL +MAY +BY +SUCH AS\n/);
    expect(told.stdout).toMatch(
      /any agent +prod +stripe\.refund +allow +refund-small +\{"amount":0\}\n +pause +refund-large /,
    );
    const { access } = (await saferun(place, ["access", "--agent", "bot", "--json"])).json() as {
      readonly access: readonly { readonly agent: string; readonly answers: readonly { readonly example: object }[] }[];
    };
    const asked = access.flatMap(({ answers }) => answers.map(({ example }) => JSON.stringify(example)));
    expect(new Set(access.map(({ agent }) => agent))).toEqual(new Set(["bot"]));
    // Each is a line for `saferun eval`, which decides it alike.
    writeFileSync(join(place.cwd, "calls.jsonl"), asked.join("\n"));
    const judged = await saferun(place, ["eval", "--policies", "policies.yaml", "--calls", "calls.jsonl", "--json"]);
    const verdicts = judged.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { verdict: string }).verdict);
    expect(verdicts).toEqual(
      access.flatMap(({ answers }) => answers.map((answer) => "verdict" in answer && answer.verdict)),
    );
  });

  it("cannot run on policies that do not load, and knows the environments", async () => {
    writeFileSync(join(place.cwd, "policies.yaml"), POLICY);
    expect(await saferun(place, ["access", "--environment", "pord"])).toMatchObject({ code: 2, stdout: "" });
    writeFileSync(join(place.cwd, "policies.yaml"), POLICY.replace("rules:", "rulse:"));
    expect(await saferun(place, ["access"])).toMatchObject({ code: 3, stdout: "" });
  });
});

describe("saferun diff", () => {
  it("[P14~] shows who gains and who loses what, and fails when something differs", async () => {
    writeFileSync(join(place.cwd, "a.yaml"), POLICY);
    const after = POLICY.replace("args.amount <= 5000", "args.amount <= 6000").replace("within: 1s", "within: 2s");
    writeFileSync(join(place.cwd, "b.yaml"), after.replace("args.amount > 5000", "args.amount > 6000"));
    const told = await saferun(place, ["diff", "a.yaml", "b.yaml"]);
    expect(told.code).toBe(1);
    expect(told.stdout).toMatch(
      /gains: more may run\nTOOL .*\nstripe\.refund +dev +all +pause → allow +refund-large → refund-small +\{"amount":/,
    );
    expect(told.stdout).toContain("2 differences, 2 gained, 0 lost");
    const back = (await saferun(place, ["diff", "b.yaml", "a.yaml", "--json"])).json();
    expect(back).toMatchObject({
      differs: true,
      incomplete: [],
      differences: [
        { tool: "stripe.refund", environment: "dev", from: "allow", to: "pause", change: "loses" },
        { tool: "stripe.refund", environment: "prod", from: "allow", to: "pause", change: "loses" },
      ],
    });
  });

  it("ends with 0 where nothing differs, and cannot run on a set that does not load", async () => {
    writeFileSync(join(place.cwd, "a.yaml"), POLICY);
    writeFileSync(join(place.cwd, "broken.yaml"), POLICY.replace("rules:", "rulse:"));
    const same = await saferun(place, ["diff", "a.yaml", "a.yaml"]);
    expect(same).toMatchObject({ code: 0, stdout: "no difference found\n" });
    const broken = await saferun(place, ["diff", "a.yaml", "broken.yaml"]);
    expect(broken).toMatchObject({ code: 3, stdout: "" });
    expect(broken.stderr).toContain("`saferun check broken.yaml`");
    expect((await saferun(place, ["diff", "a.yaml"])).code).toBe(2);
  });
});
