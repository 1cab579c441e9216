/** What the log holds of something: what is masked, sealed, erased or missing is said to be. */
import type { AmountsIn, Json } from "@saferun/core";
import { Badge } from "../../ui/badge.tsx";
import { GoneView } from "../../ui/gone.tsx";
import { JsonTree } from "../../ui/json-tree.tsx";
import { Untrusted } from "../../ui/text.tsx";
import type { Recorded } from "./tree.ts";

interface ContentViewProps {
  readonly content: Recorded | null;
  /** What values are to a person: of a call's arguments. */
  readonly amountsIn?: AmountsIn;
}

export function ContentView({ content, amountsIn = () => () => undefined }: ContentViewProps) {
  if (content === null) return <p className="text-muted">None.</p>;
  switch (content.state) {
    case "present":
      return (
        <>
          <JsonTree value={content.value} amountAt={amountsIn(content.value as Json)} />
          {content.masked.length === 0 ? null : (
            <p className="mt-2">
              <Badge tone="pause">masked in the record</Badge>{" "}
              <Untrusted className="font-mono text-sm">
                {content.masked.map((path) => path || "all of it").join(", ")}
              </Untrusted>
            </p>
          )}
        </>
      );
    case "encoded":
      return (
        <>
          <p className="mb-1">
            <Badge>{content.encoding === "text" ? "no JSON; the nearest text" : content.encoding}</Badge>
          </p>
          <JsonTree value={content.value} />
        </>
      );
    case "omitted":
      return (
        <p>
          <Badge tone="pause">over the limit of the record</Badge>{" "}
          {content.bytes === null ? "" : `${content.bytes.toLocaleString()} bytes`}
        </p>
      );
    case "sealed":
    case "erased":
    case "missing":
      return <GoneView content={content} />;
  }
}

/** As far as it can be read; undefined where it is gone. */
export function shownOf(content: Recorded | null): Json | undefined {
  return content?.state === "present" ? (content.value as Json) : undefined;
}
