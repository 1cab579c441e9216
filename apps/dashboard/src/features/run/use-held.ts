/** What a step holds, asked for when it is looked at; what a hand reaches next is there before it. */
import { type QueryClient, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type Held, readSteps } from "./tree.ts";

/** Steps that are there ahead of the one that is shown. */
const AHEAD = 4;

export function useHeld(run: string, number: number, last: number) {
  const queries = useQueryClient();
  const held = useQuery(heldStep(queries, run, number));
  const isThere = held.data !== undefined;
  useEffect(() => {
    if (!isThere) return;
    for (const near of [number + AHEAD, number - AHEAD]) {
      const wanted = Math.max(1, Math.min(last, near));
      if (wanted !== number) void queries.prefetchQuery(heldStep(queries, run, wanted));
    }
  }, [queries, run, number, last, isThere]);
  return held;
}

/** An answer holds the steps around it too: each is kept under its own number. */
function heldStep(queries: QueryClient, run: string, number: number) {
  return queryOptions({
    queryKey: ["run", run, "step", number],
    async queryFn({ signal }): Promise<Held> {
      const steps = await readSteps(run, number, signal);
      let own: Held | undefined;
      for (const held of steps) {
        if (held.step.number === number) own = held;
        else queries.setQueryData(["run", run, "step", held.step.number], held);
      }
      if (own === undefined) throw new Error("the gate sent another step");
      return own;
    },
  });
}
