import { canonicalJson, encodePart } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CSV_HEAD, csvLine } from "./csv.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .tuple(fc.constantFrom("=", "+", "-", "@", "\t", "\r", " =", "＝", '"', "\n-"), fc.string())
    .map((pieces) => pieces.join("")),
);

describe("csvLine", () => {
  it("no text makes a formula, a second line or a second cell (trap 23)", () => {
    fc.assert(
      fc.property(
        text.filter((value) => value.isWellFormed()),
        text,
        (agent, content) => {
          const header = {
            v: 1,
            log: "l",
            writer: { id: "w", n: 0, prev: null },
            time: 0,
            type: "call.finished",
            agent,
          };
          const line = csvLine({
            seq: 7,
            header: new TextEncoder().encode(canonicalJson(header)),
            parts: [{ name: "result", salt: new Uint8Array(32), bytes: encodePart(content) }],
          });
          expect(line).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}/u);
          const found = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
            ([, quoted, bare]) => quoted ?? bare ?? "",
          );
          expect(found).toHaveLength(CSV_HEAD.split(",").length);
          for (const cell of found) expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]/);
        },
      ),
    );
  });
});
