/**
 * The calls of a support agent, one after another: look-ups, pages, and now and then a refund or a mail. No two are the same.
 */
import { type JsonObject, normalize, type ToolCall, type ToolTraits } from "@saferun/core";
import { nodeHash } from "@saferun/store";

/** A Sunday. */
export const START_MS = 1_795_305_600_000;

export const TRAITS: Readonly<Record<string, ToolTraits>> = {
  "orders.get": { kind: "read" },
  "orders.search": { kind: "read", paginate: "cursor" },
  "stripe.refund": { kind: "write", identity: ["order"], volatile: ["nonce"] },
  "mail.send": { kind: "write", identity: ["to", "subject"], recipients: ["to[]"] },
};

export function callAt(index: number): ToolCall {
  return canonical(proposedAt(index));
}

function canonical(proposed: { readonly tool: string; readonly args: JsonObject }): ToolCall {
  const normalized = normalize({ ...proposed, agent: "support", environment: "prod" }, nodeHash);
  if (!normalized.ok) throw new Error("a benchmark call is malformed");
  return normalized.call;
}

function proposedAt(index: number): { readonly tool: string; readonly args: JsonObject } {
  const order = `B-${index}`;
  switch (index % 50) {
    case 20:
      return {
        tool: "stripe.refund",
        args: { order, amount: 1 + (index % 9_000), currency: "usd", nonce: `n${index}` },
      };
    case 25:
      return {
        tool: "mail.send",
        args: {
          to: [`c${index}@example.com`],
          subject: `Order ${order}`,
          body: "We are looking at your order and write again.",
        },
      };
    case 2:
    case 12:
    case 22:
    case 32:
    case 42:
      return { tool: "orders.search", args: { query: "late parcels", cursor: `page ${index}` } };
    default:
      return { tool: "orders.get", args: { order } };
  }
}

/** Some 400 bytes, as an order of a shop. */
export function resultAt(index: number): JsonObject {
  return {
    id: `B-${index}`,
    status: index % 3 === 0 ? "shipped" : "packed",
    customer: { id: `c${index % 50_000}`, email: `c${index % 50_000}@example.com`, city: "Zürich", country: "CH" },
    items: [
      { sku: `lamp-${index % 97}`, name: "desk lamp", quantity: 1, price: 4_500 },
      { sku: `seat-${index % 89}`, name: "headset", quantity: 2, price: 45_000 },
    ],
    total: 94_500 + (index % 1_000),
    currency: "usd",
    created_at: "2026-11-22T10:00:00Z",
    note: `leave it with the neighbour of number ${index % 200}`,
  };
}

/** A mail to somebody whom the agent has not written to before. */
export function mailAt(index: number): ToolCall {
  const args = { to: [`earlier${index}@example.com`], subject: "Welcome", body: "Hello." };
  return canonical({ tool: "mail.send", args });
}
