/** One line that says what was done, read out by screen readers, gone after a while; with a way back where there is one. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from "react";
import { Button } from "./button.tsx";

const SHOWN_MS = 6_000;
/** Long enough to find the way back. */
const UNDO_MS = 15_000;

type Say = (text: string, undo?: () => void) => void;

const Toasts = createContext<Say>(() => {});

export function useToast(): Say {
  return useContext(Toasts);
}

interface Shown {
  readonly text: string;
  readonly undo: (() => void) | undefined;
  readonly number: number;
}

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const say = useCallback<Say>(
    (text, undo) => setShown((last) => ({ text, undo, number: (last?.number ?? 0) + 1 })),
    [],
  );
  useEffect(() => {
    if (shown === null) return;
    const timer = setTimeout(() => setShown(null), shown.undo === undefined ? SHOWN_MS : UNDO_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  const undo = shown?.undo;
  return (
    <Toasts value={say}>
      {children}
      <div role="status" className="pointer-events-none fixed inset-x-4 bottom-20 z-40 flex justify-center md:bottom-6">
        {shown === null ? null : (
          <div className="flex items-center gap-4 rounded-md bg-ink px-4 py-2.5 font-medium text-canvas shadow-dialog">
            <p className="line-clamp-3 wrap-anywhere">{shown.text}</p>
            {undo === undefined ? null : (
              <Button
                className="pointer-events-auto"
                onClick={() => {
                  setShown(null);
                  undo();
                }}
              >
                Undo
              </Button>
            )}
          </div>
        )}
      </div>
    </Toasts>
  );
}
