/** Moments → places on a line from 0 to 1. */
export type TimeScale = (moment: number) => number;

/** True to the clock. */
export function clockScale(from: number, to: number): TimeScale {
  const length = Math.max(1, to - from);
  return (moment) => Math.min(1, Math.max(0, (moment - from) / length));
}

/**
 * The longer nothing new begins or ends, the more it is squeezed: beside an hour in which a person is waited for, what took
 * milliseconds can still be seen. Order is kept, lengths are not.
 */
export function squeezedScale(moments: readonly number[]): TimeScale {
  const marks = [...new Set(moments)].sort((left, right) => left - right);
  const places = new Map<number, number>();
  let sum = 0;
  for (const [at, mark] of marks.entries()) {
    const gap = mark - (marks[at - 1] ?? mark);
    sum += gap === 0 ? 0 : 1 + Math.log2(1 + gap);
    places.set(mark, sum);
  }
  const length = Math.max(1, sum);
  return (moment) => (places.get(moment) ?? (moment < (marks[0] ?? 0) ? 0 : sum)) / length;
}
