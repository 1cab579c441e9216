/** What changed between two versions of arguments, path by path, old above new. */
import { type AmountAt, changedPaths, type Json } from "@saferun/core";
import { JsonTree } from "./json-tree.tsx";
import { Untrusted } from "./text.tsx";
import { valueAt } from "./value-at.ts";

const MOST = 100;

export interface DifferenceProps {
  readonly before: Json;
  readonly after: Json;
  /** What values of such arguments are to a person. */
  readonly amountsIn?: (args: Json) => AmountAt;
}

export function Difference({ before, after, amountsIn = () => () => undefined }: DifferenceProps) {
  const paths = changedPaths(before, after);
  const [oldAt, newAt] = [amountsIn(before), amountsIn(after)];
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
            <Side value={valueAt(before, path)} path={path} amountAt={oldAt} />
          </dd>
          <dd className="rounded-b bg-allow-soft px-2 py-1">
            <span aria-hidden="true" className="mr-2 text-allow select-none">
              +
            </span>
            <span className="sr-only">after: </span>
            <Side value={valueAt(after, path)} path={path} amountAt={newAt} />
          </dd>
        </div>
      ))}
      {paths.length > MOST ? <p className="text-muted">and {paths.length - MOST} more</p> : null}
    </dl>
  );
}

interface SideProps {
  readonly value: unknown;
  readonly path: string;
  readonly amountAt: AmountAt;
}

function Side({ value, ...shared }: SideProps) {
  return value === undefined ? <span className="text-muted">nothing</span> : <JsonTree value={value} {...shared} />;
}
