/** A list of any length: only the rows that can be seen are in the page. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { Card } from "../../ui/card.tsx";
import { ItemRow, ViewsRow } from "./item-row.tsx";
import type { Line } from "./lines.ts";

const ROW_PX = 44;
const AROUND = 12;

export interface ItemListProps {
  readonly lines: readonly Line[];
  readonly chosen: number | undefined;
  readonly onChoose: (seq: number) => void;
  /** Of a line that stands for several. */
  readonly onTurn: (key: string) => void;
  /** Somebody is near the end of so many lines. */
  readonly onEnd: (lines: number) => void;
}

/** Lines before the end from which on more is wanted. */
const NEAR_END = 15;

export function ItemList({ lines, chosen, onChoose, onTurn, onEnd }: ItemListProps) {
  const list = useRef<HTMLUListElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => setOffset(list.current?.offsetTop ?? 0), []);
  const rows = useWindowVirtualizer({
    count: lines.length,
    estimateSize: () => ROW_PX,
    overscan: AROUND,
    scrollMargin: offset,
    getItemKey: (index) => lines[index]?.key ?? index,
  });
  useStanding(lines, offset);
  const isNear = (rows.range?.endIndex ?? 0) >= lines.length - NEAR_END;
  useEffect(() => {
    if (isNear) onEnd(lines.length);
  }, [isNear, lines.length, onEnd]);
  const shown = rows.getVirtualItems();
  const before = (shown[0]?.start ?? offset) - offset;
  const after = rows.getTotalSize() - ((shown.at(-1)?.end ?? offset) - offset);
  return (
    <Card className="overflow-hidden">
      <ul ref={list} aria-label="Found" className="divide-y divide-line">
        {before > 0 ? <li aria-hidden="true" style={{ height: before }} /> : null}
        {shown.map(({ index, key }) => {
          const line = lines[index];
          if (line === undefined) return null;
          const place = { ref: rows.measureElement, index };
          if (line.kind === "views")
            return <ViewsRow key={key} {...place} line={line} onTurn={() => onTurn(line.key)} />;
          const { item, within } = line;
          return (
            <ItemRow
              key={key}
              {...place}
              item={item}
              within={within}
              chosen={item.seq === chosen}
              onChoose={() => onChoose(item.seq)}
            />
          );
        })}
        {after > 0 ? <li aria-hidden="true" style={{ height: after }} /> : null}
      </ul>
    </Card>
  );
}

/** What appears above what one reads does not move it: the page scrolls by as much. */
function useStanding(lines: readonly Line[], offset: number): void {
  const top = lines[0]?.key;
  const known = useRef(top);
  useLayoutEffect(() => {
    const added = lines.findIndex(({ key }) => key === known.current);
    if (added > 0 && scrollY > offset) scrollBy(0, added * ROW_PX);
    known.current = top;
  }, [lines, offset, top]);
}
