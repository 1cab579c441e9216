import { describe, expect, it } from "vitest";
import { changed, draftsOf, inDirectory, judgedBy, withFiles } from "./draft-set.ts";

const SET = draftsOf([
  { file: "policies/refunds.yaml", text: "old" },
  { file: "policies/mail.yaml", text: "mail" },
]);

describe("a draft of several files", () => {
  it("takes files for those of the same name, and others beside them", () => {
    const taken = withFiles(SET, [
      { file: "refunds.yaml", text: "new" },
      { file: "budgets.yaml", text: "budgets" },
    ]);
    expect(judgedBy(taken)).toEqual([
      { file: "policies/refunds.yaml", text: "new" },
      { file: "policies/mail.yaml", text: "mail" },
      { file: "budgets.yaml", text: "budgets" },
    ]);
  });

  it("does not guess which of two files is meant", () => {
    const two = withFiles(SET, [{ file: "others/refunds.yaml", text: "theirs" }]);
    expect(two.size).toBe(2);
    const both = draftsOf([...judgedBy(SET), { file: "old/refunds.yaml", text: "older" }]);
    expect(withFiles(both, [{ file: "refunds.yaml", text: "new" }]).size).toBe(4);
  });

  it("leaves a file out, and takes it back with its text", () => {
    const without = changed(SET, "policies/mail.yaml", { out: true });
    expect(judgedBy(without).map(({ file }) => file)).toEqual(["policies/refunds.yaml"]);
    expect(judgedBy(changed(without, "policies/mail.yaml", { out: false }))).toEqual(judgedBy(SET));
  });

  it("reads a directory as the gate does", () => {
    const files = ["a.yaml", "b.yml", "c.ts", "c.test.ts", "d.d.ts", "notes.md", "below/e.yaml"];
    const listed = files.map((file) => ({ name: file.slice(file.lastIndexOf("/") + 1), path: `policies/${file}` }));
    const { yaml, modules } = inDirectory(listed);
    expect(yaml.map(({ name }) => name)).toEqual(["a.yaml", "b.yml"]);
    expect(modules.map(({ name }) => name)).toEqual(["c.ts"]);
  });
});
