/** The browser's own dialog: it traps the focus, closes with Escape, and gives the focus back. */
import { printable } from "@saferun/core";
import { type ReactNode, useEffect, useRef } from "react";
import { Untrusted } from "./text.tsx";
import { words } from "./words.ts";

export interface DialogProps {
  /** May name what strangers have named. */
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ title, open, onClose, wide = false, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (open && dialog?.open === false) {
      dialog.showModal();
      // The browser gives the focus to whatever comes first; one has opened it to type, where there is something to type.
      dialog.querySelector<HTMLElement>("input, textarea, select")?.focus();
    }
    if (!open) dialog?.close();
  }, [open]);
  return (
    <dialog
      ref={ref}
      aria-label={printable(title)}
      onClose={onClose}
      className={words(
        "m-auto max-h-[85dvh] w-[calc(100vw-2rem)] overflow-auto rounded-card border border-line bg-raised p-5 text-ink shadow-dialog",
        wide ? "max-w-4xl" : "max-w-lg",
      )}
    >
      {open ? (
        <>
          <h2 className="mb-3 text-lg font-semibold break-words">
            <Untrusted>{title}</Untrusted>
          </h2>
          {children}
        </>
      ) : null}
    </dialog>
  );
}
