/** One line that says what was done, read out by screen readers, gone after a while. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from "react";
import { Untrusted } from "./text.tsx";

const SHOWN_MS = 6_000;
const Toasts = createContext<(text: string) => void>(() => {});

export function useToast(): (text: string) => void {
  return useContext(Toasts);
}

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [shown, setShown] = useState<{ readonly text: string; readonly number: number } | null>(null);
  const say = useCallback((text: string) => setShown((last) => ({ text, number: (last?.number ?? 0) + 1 })), []);
  useEffect(() => {
    if (shown === null) return;
    const timer = setTimeout(() => setShown(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  return (
    <Toasts value={say}>
      {children}
      <div role="status" className="pointer-events-none fixed inset-x-4 bottom-20 z-40 flex justify-center md:bottom-6">
        {shown === null ? null : (
          <p className="rounded-md bg-ink px-4 py-2.5 font-medium text-canvas shadow-dialog">
            <Untrusted>{shown.text}</Untrusted>
          </p>
        )}
      </div>
    </Toasts>
  );
}
