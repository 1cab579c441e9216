/** Where somebody was in the list before they opened a run: they come back to it. */
import type { RunFilter } from "./filter.ts";

interface Place {
  readonly filter: RunFilter;
  /** The run from which on the list was shown; undefined: it followed the newest. */
  readonly from: string | undefined;
  readonly total: number;
  readonly scrollY: number;
  /** The row that had the focus. */
  readonly at: number | null;
}

let last: Place | undefined;

export function leavePlace(place: Place): void {
  last = place;
}

export function lastPlace(): Place | undefined {
  return last;
}
