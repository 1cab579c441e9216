/** Answering a question: what was said comes back in words, whatever it is. */

import type { Json } from "@saferun/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ask } from "../../api/client.ts";
import { RequestProblem } from "../../api/problem.ts";
import { useToast } from "../../ui/toast.tsx";
import type { Approval } from "./approval.ts";
import { type Grant, sentGrant } from "./grant.tsx";

export interface Said {
  readonly verdict: "approve" | "deny";
  readonly note: string;
  /** Absent: as they stand. */
  readonly args?: Json;
  /** Beside a yes: the like is permitted too. */
  readonly grant?: Grant;
}

/** A decision that came too late is no failure of the page: the card is read again and says who decided. */
const OTHERS_DECIDED: readonly string[] = ["already_decided", "stale_version", "expired"];

export function useDecision(approval: Approval) {
  const queries = useQueryClient();
  const say = useToast();
  return useMutation({
    mutationFn: ({ verdict, note, args, grant }: Said) =>
      ask(
        api.approvals[":id"].decide.$post({
          param: { id: approval.id },
          json: {
            verdict,
            version: approval.version,
            ...(note.trim() === "" ? {} : { note }),
            ...(args === undefined ? {} : { args }),
            ...(grant === undefined ? {} : { grant: sentGrant(grant) }),
          },
        }),
      ),
    onSuccess: ({ message }) => say(message),
    onError(error) {
      if (error instanceof RequestProblem && OTHERS_DECIDED.includes(error.code)) say(error.message);
    },
    // Not waited for: an answer that failed is told at once.
    onSettled: () => void queries.invalidateQueries({ queryKey: ["approvals"] }),
  });
}

/** What the gate says does not fit in a grant, by its field. */
export function grantMistakes(error: unknown): ReadonlyMap<string, string> {
  if (!(error instanceof RequestProblem) || error.code !== "form.misfit") return new Map();
  const { mistakes } = error.body as {
    readonly mistakes?: { readonly grant?: readonly { field: string; message: string }[] };
  };
  return new Map((mistakes?.grant ?? []).map(({ field, message }) => [field, message]));
}
