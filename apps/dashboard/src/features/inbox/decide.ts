/** Answering a question: what was said comes back in words, whatever it is. */

import type { Json } from "@saferun/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ask } from "../../api/client.ts";
import { RequestProblem } from "../../api/problem.ts";
import { useToast } from "../../ui/toast.tsx";
import type { Approval } from "./approval.ts";

export interface Said {
  readonly verdict: "approve" | "deny";
  readonly note: string;
  /** Absent: as they stand. */
  readonly args?: Json;
}

/** A decision that came too late is no failure of the page: the card is read again and says who decided. */
const OTHERS_DECIDED: readonly string[] = ["already_decided", "stale_version", "expired"];

export function useDecision(approval: Approval) {
  const queries = useQueryClient();
  const say = useToast();
  return useMutation({
    mutationFn: ({ verdict, note, args }: Said) =>
      ask(
        api.approvals[":id"].decide.$post({
          param: { id: approval.id },
          json: {
            verdict,
            version: approval.version,
            ...(note.trim() === "" ? {} : { note }),
            ...(args === undefined ? {} : { args }),
          },
        }),
      ),
    onSuccess: ({ message }) => say(message),
    onError(error) {
      if (error instanceof RequestProblem && OTHERS_DECIDED.includes(error.code)) say(error.message);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["approvals"] }),
  });
}
