/** What the compiler says of the texts, asked when the person pauses; meanwhile what it said last. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { checkTexts, type PolicyText } from "./read.ts";

const TYPING_MS = 250;

export function useCheck(texts: readonly PolicyText[]) {
  const typed = JSON.stringify(texts);
  const [asked, setAsked] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const check = useQuery({
    queryKey: ["policy-check", asked],
    queryFn: () => checkTexts(JSON.parse(asked) as readonly PolicyText[]),
    enabled: texts.length > 0,
    placeholderData: keepPreviousData,
  });
  return { ...check, settled: asked === typed && !check.isPlaceholderData && check.isSuccess };
}
