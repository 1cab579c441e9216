/** Samples in, percentiles out. Times are microseconds unless a name says otherwise. */
export interface Figures {
  readonly samples: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export function figures(samples: readonly number[]): Figures {
  const sorted = [...samples].sort((left, right) => left - right);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { samples: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

export function median(values: readonly number[]): number {
  return figures(values).p50;
}

/** One sample per call: for what takes a microsecond or more. The clock itself costs some 0.05 µs. */
export function eachCall(count: number, work: (index: number) => unknown): Figures {
  const samples = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const start = process.hrtime.bigint();
    work(index);
    samples[index] = Number(process.hrtime.bigint() - start) / 1_000;
  }
  return figures([...samples]);
}

/** Means of two works in turns, and the median of the ratios: what slows the machine down for a while hits both. */
export function compared(
  batches: number,
  [ours, ourSize]: readonly [work: (index: number) => unknown, size: number],
  [theirs, theirSize]: readonly [work: (index: number) => unknown, size: number],
): { readonly mean: number; readonly ratio: number } {
  const means: number[] = [];
  const ratios: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const own = perCall(1, ourSize, ours);
    const other = perCall(1, theirSize, theirs);
    means.push(other);
    ratios.push(other / own);
  }
  return { mean: median(means), ratio: median(ratios) };
}

/** Mean time of one call over a batch, as the median of several batches. */
export function perCall(batches: number, size: number, work: (index: number) => unknown): number {
  const means: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const start = performance.now();
    for (let index = 0; index < size; index++) work(index);
    means.push(((performance.now() - start) * 1_000) / size);
  }
  return median(means);
}
