/** What changed between two versions of arguments, path by path, old above new. */
import { changedPaths, type Json } from "@saferun/core";
import { JsonTree } from "./json-tree.tsx";
import { Untrusted } from "./text.tsx";
import { valueAt } from "./value-at.ts";

const MOST = 100;

export interface DifferenceProps {
  readonly before: Json;
  readonly after: Json;
}

export function Difference({ before, after }: DifferenceProps) {
  const paths = changedPaths(before, after);
  if (paths.length === 0) return <p className="text-muted">Nothing is changed.</p>;
  return (
    <dl className="space-y-2 font-mono text-[0.92em]">
      {paths.slice(0, MOST).map((path) => (
        <div key={path}>
          <dt className="text-muted">
            <Untrusted>{path}</Untrusted>
          </dt>
          <dd className="rounded-t bg-deny-soft px-2 py-1">
            <span aria-hidden="true" className="mr-2 text-deny select-none">
              −
            </span>
            <span className="sr-only">before: </span>
            <Side value={valueAt(before, path)} />
          </dd>
          <dd className="rounded-b bg-allow-soft px-2 py-1">
            <span aria-hidden="true" className="mr-2 text-allow select-none">
              +
            </span>
            <span className="sr-only">after: </span>
            <Side value={valueAt(after, path)} />
          </dd>
        </div>
      ))}
      {paths.length > MOST ? <p className="text-muted">and {paths.length - MOST} more</p> : null}
    </dl>
  );
}

function Side({ value }: { readonly value: unknown }) {
  return value === undefined ? <span className="text-muted">nothing</span> : <JsonTree value={value} />;
}
