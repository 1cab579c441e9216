import { dollarsText, spanText } from "@saferun/core";
import type { ReactNode } from "react";
import { words } from "../../ui/words.ts";
import type { Comparison } from "./comparison.ts";

type Sums = Comparison["totals"]["left"];

const ROWS: readonly (readonly [string, (sums: Sums) => string])[] = [
  ["calls", ({ calls }) => calls.toLocaleString()],
  ["refused", ({ denied }) => denied.toLocaleString()],
  ["waited", ({ wait_ms }) => spanText(wait_ms)],
  ["executed", ({ execute_ms }) => spanText(execute_ms)],
  ["model turns", ({ models }) => models.toLocaleString()],
  [
    "tokens",
    ({ input_tokens, output_tokens }) => `${input_tokens.toLocaleString()} + ${output_tokens.toLocaleString()}`,
  ],
  ["cost", ({ usd_micros }) => dollarsText(usd_micros)],
];

export function Totals({ left, right }: { readonly left: Sums; readonly right: Sums }): ReactNode {
  return (
    <table className="mb-5 w-full max-w-xl text-left tabular-nums">
      <caption className="sr-only">Sums of both runs</caption>
      <thead className="text-sm text-muted">
        <tr>
          <th scope="col" className="w-1/3 py-1 font-normal">
            <span className="sr-only">What</span>
          </th>
          <th scope="col" className="py-1 font-normal">
            first
          </th>
          <th scope="col" className="py-1 font-normal">
            second
          </th>
        </tr>
      </thead>
      <tbody>
        {ROWS.map(([name, text]) => {
          const differs = text(left) !== text(right);
          return (
            <tr key={name} className="border-t border-line">
              <th scope="row" className="py-1 font-normal text-muted">
                {name}
              </th>
              <td className="py-1">{text(left)}</td>
              <td className={words("py-1", differs && "font-semibold")}>{text(right)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
