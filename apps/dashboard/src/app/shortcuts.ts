/** Keys of a page, in one list that `?` shows. */
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Shortcut {
  /** One key, `g i` for two in a row, `mod+k` for Ctrl or ⌘. */
  readonly keys: string;
  readonly does: string;
  readonly run: () => void;
}

const registered = new Set<readonly Shortcut[]>();
const listeners = new Set<() => void>();
let listed: readonly Shortcut[] = [];

function changed(): void {
  listed = [...registered].flat();
  for (const listener of listeners) listener();
}

/** While the component is shown. The newest wins where two have the same keys. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const keys = shortcuts.map((one) => one.keys).join("\n");
  // The list is registered anew only when its keys change; what they do is looked up when they are pressed.
  useEffect(() => {
    const own = keys.split("\n").flatMap((key, at) => {
      const known = latest.current[at];
      return key === "" || known === undefined
        ? []
        : [{ keys: key, does: known.does, run: () => latest.current[at]?.run() }];
    });
    registered.add(own);
    changed();
    return () => {
      registered.delete(own);
      changed();
    };
  }, [keys]);
}

export function useShortcutList(): readonly Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => listed,
  );
}

const SEQUENCE_MS = 1_000;
let first = "";
let firstAt = 0;

/** Nothing is taken from somebody who types. */
export function onKey(event: KeyboardEvent): void {
  const mod = event.ctrlKey || event.metaKey;
  // Within a shadow tree, as the editor is, the event's own target is the tree's host.
  const [target] = event.composedPath();
  const typing =
    target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable=true]") !== null;
  if (event.altKey || event.isComposing || (typing && !(mod && event.key === "k"))) return;
  const modal = document.querySelector("dialog[open]") !== null;
  if (modal && !mod) return;
  const key = mod ? `mod+${event.key.toLowerCase()}` : event.key;
  const sequence = event.timeStamp - firstAt < SEQUENCE_MS && first !== "" ? `${first} ${key}` : key;
  const found = listed.findLast((one) => one.keys === sequence) ?? listed.findLast((one) => one.keys === key);
  first = found === undefined && key.length === 1 ? key : "";
  firstAt = event.timeStamp;
  if (found === undefined) return;
  event.preventDefault();
  found.run();
}
