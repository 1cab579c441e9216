/** `j` and `k` over what a page lists: the focus is the choice, and Enter presses what it stands on. */
import { type RefObject, useRef } from "react";
import { useShortcuts } from "./shortcuts.ts";

/**
 * @param one What is walked over, such as `run`.
 * @param selector What in the list takes the focus.
 */
export function useWalk<List extends HTMLElement>(one: string, selector: string): RefObject<List | null> {
  const list = useRef<List>(null);
  const move = (by: number) => () => {
    const stops: (Element | null)[] = [...(list.current?.querySelectorAll(selector) ?? [])];
    const at = stops.indexOf(document.activeElement);
    const next = stops[Math.max(0, Math.min(stops.length - 1, at === -1 ? 0 : at + by))];
    if (next instanceof HTMLElement) next.focus();
  };
  useShortcuts([
    { keys: "j", does: `next ${one}; Enter presses it`, run: move(1) },
    { keys: "k", does: `previous ${one}`, run: move(-1) },
  ]);
  return list;
}
