/** Content that is not there, and why: what to do where it can be read again, who took it out where it cannot. */
import type { Content, Wire } from "@saferun/core";
import { Badge } from "./badge.tsx";
import { Untrusted } from "./text.tsx";
import { Time } from "./time.tsx";

export type Gone = Extract<Wire<Content>, { readonly state: "sealed" | "erased" | "missing" }>;

export function GoneView({ content }: { readonly content: Gone }) {
  switch (content.state) {
    case "sealed":
      return (
        <p>
          <Badge tone="pause">sealed</Badge> Its key is not beside this store, or it was changed: put{" "}
          <code className="font-mono">seal.key</code> and <code className="font-mono">keys.db</code> back, and start the
          dashboard again. Key <code className="font-mono text-sm">{content.key}</code>.
        </p>
      );
    case "erased":
      return (
        <p>
          <Badge tone="deny">erased</Badge>{" "}
          {content.erasure === undefined ? (
            "It was taken out for good, or its key was destroyed; the log says by whom and why."
          ) : (
            <>
              for good, <Time at={new Date(content.erasure.at).toISOString()} />, by{" "}
              <Untrusted>{content.erasure.by}</Untrusted>: <Untrusted>{content.erasure.reason}</Untrusted> (entry{" "}
              {content.erasure.seq.toLocaleString()})
            </>
          )}
        </p>
      );
    case "missing":
      return (
        <p>
          <Badge tone="deny">missing</Badge> The store does not have it, or it cannot be read.
        </p>
      );
  }
}
