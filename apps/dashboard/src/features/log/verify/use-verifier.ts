import { useEffect, useRef, useState } from "react";
import { pageKey } from "../../../api/session.ts";
import type { VerifyMessage, VerifyResult } from "./messages.ts";
import { startVerifier } from "./start.ts";

export type Verifying =
  | { readonly kind: "idle" }
  | { readonly kind: "progress"; readonly entries: number; readonly of: number }
  | { readonly kind: "done"; readonly result: VerifyResult; readonly pinned: string }
  | { readonly kind: "failed"; readonly message: string };

/** One verification at a time; it ends with the component. */
export function useVerifier() {
  const [state, setState] = useState<Verifying>({ kind: "idle" });
  const worker = useRef<Worker | null>(null);
  const end = () => {
    worker.current?.terminate();
    worker.current = null;
  };
  useEffect(() => () => worker.current?.terminate(), []);
  return {
    state,
    start(pinned: string) {
      end();
      const started = startVerifier();
      worker.current = started;
      setState({ kind: "progress", entries: 0, of: 0 });
      started.onmessage = ({ data }: MessageEvent<VerifyMessage>) => {
        setState(data.kind === "done" ? { ...data, pinned } : data);
        if (data.kind !== "progress") end();
      };
      started.onerror = () => {
        setState({ kind: "failed", message: "the verifier could not be started in this browser" });
        end();
      };
      started.postMessage({ pageKey: pageKey(), pinned });
    },
    stop() {
      end();
      setState({ kind: "idle" });
    },
  };
}
