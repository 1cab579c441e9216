import { Badge } from "./badge.tsx";

export interface Counts {
  readonly calls: number;
  readonly allowed: number;
  readonly denied: number;
  readonly paused: number;
  readonly failed: number;
  readonly unknown: number;
}

/** Only what there is: a run of allowed calls shows one number. */
export function CountBadges({ counts }: { readonly counts: Counts }) {
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5 tabular-nums">
      <span className="text-muted">
        {counts.calls.toLocaleString()} {counts.calls === 1 ? "call" : "calls"}
      </span>
      {counts.denied === 0 ? null : <Badge tone="deny">{counts.denied} denied</Badge>}
      {counts.paused === 0 ? null : <Badge tone="pause">{counts.paused} paused</Badge>}
      {counts.failed === 0 ? null : <Badge tone="deny">{counts.failed} failed</Badge>}
      {counts.unknown === 0 ? null : <Badge tone="deny">{counts.unknown} unknown</Badge>}
    </span>
  );
}
