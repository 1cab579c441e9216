/** The questions of the terminal's form, answered by keys. */
import { PassThrough } from "node:stream";
import type { EditField, Json } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { askEdited } from "./ask-edited.ts";

const UP = "\u001b[A";
const DOWN = "\u001b[B";
const ENTER = "\r";
const CLEAR = "\u0015";

const form: readonly EditField[] = [
  {
    path: "amount",
    label: "Refund \u001b[2J\u202e",
    type: "integer",
    required: true,
    minimum: 1,
    maximum: 500,
    description: "x\u001b]0;owned\u0007".repeat(50),
  },
  { path: "currency", label: "currency", type: "enum", enum: ["eur", "usd"], required: true },
  { path: "notify", label: "notify", type: "boolean", required: false },
  { path: "limit", label: "limit", type: "enum", enum: [1, 2], required: false, nullable: true },
];

/** `keys` for each question, typed once it stands there; undefined where it was given up. */
async function answered(
  args: Json,
  keys: readonly (readonly [shown: string, keys: string])[],
  fields: readonly EditField[] = form,
) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const left = [...keys];
  let seen = "";
  let since = "";
  output.on("data", (chunk: Buffer) => {
    seen += String(chunk);
    since += String(chunk);
    const [next] = left;
    if (next === undefined || !since.includes(next[0])) return;
    left.shift();
    since = "";
    setImmediate(() => input.write(next[1]));
  });
  const terms = { editable: fields.map(({ path }) => path), form: fields };
  const edited = await askEdited(args, terms, { input, output });
  return { edited, seen, left };
}

describe("the terminal's form", () => {
  it("asks by the kind of each field, says its bounds, and takes no misfit [A9~]", async () => {
    const { edited, seen, left } = await answered({ amount: 450, currency: "eur", notify: true, limit: 2 }, [
      ["amount — Refund", `${CLEAR}501${ENTER}`],
      ["must be a whole number from 1 to 500", `${CLEAR}50${ENTER}`],
      ["currency (one of eur, usd)", `${DOWN}${ENTER}`],
      ["notify (true or false)", `${DOWN}${ENTER}`],
      ["limit (one of 1, 2, or nothing)", `${DOWN}${ENTER}`],
    ]);
    expect(left).toEqual([]);
    expect(edited).toEqual({ amount: 50, currency: "usd", notify: false, limit: null });
    expect(seen).not.toMatch(/\u001b\[2J|\u001b\]0;|\u202e|\u0007/);
  });

  it("keeps what was left as it was, also what is absent", async () => {
    const args = { amount: 450, currency: "usd", limit: null };
    const { edited } = await answered(args, [
      ["amount", ENTER],
      ["currency", ENTER],
      ["notify", ENTER],
      ["limit", ENTER],
    ]);
    expect(edited).toBe(args);
    const chosen = await answered(args, [
      ["amount", ENTER],
      ["currency", `${UP}${ENTER}`],
      ["notify", `${UP}${ENTER}`],
      ["limit", `${UP}${ENTER}`],
    ]);
    expect(chosen.edited).toEqual({ amount: 450, currency: "eur", notify: false, limit: 2 });
  });

  it("takes several choices of a list, and asks again until they fit [A9~]", async () => {
    const days: EditField = {
      path: "days",
      label: "days",
      type: "enums",
      enum: ["mon", "tue", "wed"],
      required: true,
      minItems: 1,
    };
    const { edited, left } = await answered(
      { days: ["mon"] },
      [
        ["days (a list of 1 or more of mon, tue, wed)", ` ${ENTER}`],
        ["must be a list of 1 or more of", `${DOWN} ${DOWN} ${ENTER}`],
      ],
      [days],
    );
    expect(left).toEqual([]);
    expect(edited).toEqual({ days: ["mon", "tue", "wed"] });
  });

  it("decides nothing for somebody who gives up", async () => {
    expect((await answered({ amount: 450, currency: "eur" }, [["amount", "\u0003"]])).edited).toBeUndefined();
  });
});
