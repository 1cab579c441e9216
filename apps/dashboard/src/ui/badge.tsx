import type { ReactNode } from "react";
import { words } from "./words.ts";

export type BadgeTone = "allow" | "deny" | "pause" | "plain" | "accent";

const TONES: Readonly<Record<BadgeTone, string>> = {
  allow: "bg-allow-soft text-allow",
  deny: "bg-deny-soft text-deny",
  pause: "bg-pause-soft text-pause",
  accent: "bg-accent-soft text-accent",
  plain: "bg-sunken text-muted",
};

export function Badge({ tone = "plain", children }: { readonly tone?: BadgeTone; readonly children: ReactNode }) {
  return (
    <span
      className={words(
        "inline-flex items-center gap-1 rounded px-1.5 py-0.5 text-xs font-semibold whitespace-nowrap",
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}

/** How a word of the record reads: by its colour and by itself, never by the colour alone. */
const TONE_OF: Readonly<Record<string, BadgeTone>> = {
  allow: "allow",
  approved: "allow",
  consumed: "allow",
  succeeded: "allow",
  closed: "allow",
  deny: "deny",
  denied: "deny",
  failed: "deny",
  stopped: "deny",
  unknown: "deny",
  expired: "deny",
  pause: "pause",
  pending: "pause",
  waiting: "pause",
  suspended: "pause",
  open: "pause",
  half_open: "pause",
  executing: "accent",
};

const WORD_OF: Readonly<Record<string, string>> = {
  consumed: "approved and used",
  half_open: "half open",
  unknown: "outcome unknown",
};

export function StateBadge({ state }: { readonly state: string }) {
  return <Badge tone={TONE_OF[state] ?? "plain"}>{WORD_OF[state] ?? state}</Badge>;
}
