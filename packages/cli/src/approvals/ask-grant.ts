/** Asks on a terminal what is permitted beside a call: how long, how often, how much. What stays the same is the call's. */
import { isCancel, select, text } from "@clack/prompts";
import {
  type ApprovalRecord,
  chosenGrant,
  GRANT_DEFAULT,
  GRANT_WINDOW_TEXTS,
  GRANT_WINDOWS,
  type GrantChoice,
  type GrantField,
  type GrantTerms,
  grantMistakeText,
  offerText,
  printable,
  proposedGrant,
} from "@saferun/core";
import type { Terminal } from "./ask-edited.ts";

/** Undefined when the person gave up, or where nothing is offered. */
export async function askGrant(
  approval: Pick<ApprovalRecord, "reasons" | "grantOffer" | "votes">,
  terminal: Terminal = {},
): Promise<GrantTerms | undefined> {
  const { grantOffer: offer } = approval;
  if (offer === undefined) return undefined;
  const before = proposedGrant(approval);
  const window = await select({
    message: `for how long? (${offerText(offer)})`,
    options: Object.keys(GRANT_WINDOWS).map((value) => ({ value, label: GRANT_WINDOW_TEXTS[value] ?? value })),
    initialValue: Object.keys(GRANT_WINDOWS).find((name) => GRANT_WINDOWS[name] === before?.forMs) ?? GRANT_DEFAULT.for,
    ...terminal,
  });
  if (isCancel(window)) return undefined;
  const number = (field: GrantField, message: string, initialValue: string) =>
    text({
      message,
      initialValue,
      validate: (typed) => mistakeOf(approval, { for: window, [field]: typed ?? "" }, field),
      ...terminal,
    });
  const count = await number("count", "how many more calls?", String(before?.count ?? GRANT_DEFAULT.count));
  if (isCancel(count)) return undefined;
  const { amount } = offer;
  const most =
    amount === undefined
      ? undefined
      : await number("most", `how much \`${printable(amount)}\`, over all of them?`, String(before?.sum?.most ?? ""));
  if (isCancel(most)) return undefined;
  const chosen = chosenGrant(approval, { for: window, count, ...(most === undefined ? {} : { most }) });
  return "grant" in chosen ? chosen.grant : undefined;
}

function mistakeOf(
  approval: Pick<ApprovalRecord, "reasons" | "grantOffer">,
  choice: GrantChoice,
  field: GrantField,
): string | undefined {
  const chosen = chosenGrant(approval, choice);
  const wrong = "mistakes" in chosen ? chosen.mistakes.filter((mistake) => mistake.field === field) : [];
  return wrong.length === 0 ? undefined : grantMistakeText(wrong);
}
