/** The step that is shown: at once on the page, in the address when the hand rests. Browsers refuse faster changes of it. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";

const REST_MS = 200;

export function useStep(first: number, last: number): readonly [number, (step: number) => void] {
  const { step: addressed } = useSearch({ from: "/runs/$id" });
  const navigate = useNavigate({ from: "/runs/$id" });
  const [chosen, setChosen] = useState<number | null>(null);
  useEffect(() => {
    if (chosen === null || chosen === addressed) return;
    const timer = setTimeout(
      () => void navigate({ search: (search) => ({ ...search, step: chosen }), replace: true }),
      REST_MS,
    );
    return () => clearTimeout(timer);
  }, [chosen, addressed, navigate]);
  // An address that somebody else changes (a link, the way back) says which step it is.
  useEffect(() => {
    if (addressed !== undefined) setChosen(addressed);
  }, [addressed]);
  const go = useCallback((step: number) => setChosen(Math.max(1, Math.min(last, step))), [last]);
  const wanted = chosen ?? addressed ?? first;
  return [Math.max(1, Math.min(last, Math.trunc(wanted))), go];
}
