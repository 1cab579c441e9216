/** Moments as people read them: relative, with the exact one on hover and for screen readers that ask. */
import { useEffect, useState, useSyncExternalStore } from "react";

const TICK_MS = 1_000;

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of listeners) one();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Ms since 1970, anew each second: one clock for the whole page. */
export function useNow(): number {
  useEffect(() => {
    now = Date.now();
  }, []);
  return useSyncExternalStore(subscribe, () => now);
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** `12 s ago`, `in 4 min`; beyond a day the date itself. */
function relativeText(at: number, from: number): string {
  const distance = at - from;
  if (Math.abs(distance) < 1_000) return "now";
  const largest = UNITS.find(([, size]) => Math.abs(distance) >= size) ?? UNITS[3];
  const text = `${Math.floor(Math.abs(distance) / largest[1])} ${largest[0]}`;
  return distance < 0 ? `${text} ago` : `in ${text}`;
}

const DAY_MS = 86_400_000;

export function Time({ at }: { readonly at: string }) {
  const current = useNow();
  const moment = Date.parse(at);
  const [exact] = useState(() => new Date(moment).toLocaleString());
  const far = Math.abs(moment - current) > DAY_MS;
  return (
    <time dateTime={at} title={`${exact} · ${at}`} className="tabular-nums whitespace-nowrap">
      {far ? exact : relativeText(moment, current)}
    </time>
  );
}
