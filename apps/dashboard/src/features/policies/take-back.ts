/** The way back from what was put in force a moment ago. */
import { useQueryClient } from "@tanstack/react-query";
import { messageOf } from "../../api/problem.ts";
import { useToast } from "../../ui/toast.tsx";
import { restore } from "./read.ts";

/** Nothing is written over what somebody else wrote in between: it says so, and leaves it. */
export function useTakeBack(): (before: string, written: string) => void {
  const queries = useQueryClient();
  const say = useToast();
  return (before, written) =>
    void restore(before, written)
      .then(() => say(`taken back: revision ${before.slice(0, 12)} is on disk again`))
      .catch((error: unknown) => say(`not taken back: ${messageOf(error)}`))
      .finally(() => queries.invalidateQueries({ queryKey: ["policies"] }));
}
