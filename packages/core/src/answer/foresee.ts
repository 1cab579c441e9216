/** What the policies say of an approver's edit, told while the approver is still there. It decides nothing. */
import type { Decision } from "../decision.ts";
import { printable } from "../value/printable.ts";

/** One line for the approver; undefined where nothing speaks against it. A new question is no obstacle: it will be put. */
export function foreseenDenial({ verdict, by, reason, fix }: Decision): string | undefined {
  if (verdict !== "deny") return undefined;
  const instead = fix === undefined ? "" : ` ${printable(fix)}`;
  return `the policies deny the edited call, by ${by.map(printable).join(", ")}: ${printable(reason)}${instead}`;
}
