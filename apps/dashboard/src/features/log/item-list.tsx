/** A list of any length: only the rows that can be seen are in the page. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState } from "react";
import { Card } from "../../ui/card.tsx";
import { ItemRow } from "./item-row.tsx";
import type { LogItem } from "./search.ts";

const ROW_PX = 44;
const AROUND = 12;

export interface ItemListProps {
  readonly items: readonly LogItem[];
  readonly chosen: number | undefined;
  readonly onChoose: (seq: number) => void;
}

export function ItemList({ items, chosen, onChoose }: ItemListProps) {
  const list = useRef<HTMLUListElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => setOffset(list.current?.offsetTop ?? 0), []);
  const rows = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => ROW_PX,
    overscan: AROUND,
    scrollMargin: offset,
    getItemKey: (index) => items[index]?.seq ?? index,
  });
  useStanding(items, offset);
  const shown = rows.getVirtualItems();
  const before = (shown[0]?.start ?? offset) - offset;
  const after = rows.getTotalSize() - ((shown.at(-1)?.end ?? offset) - offset);
  return (
    <Card className="overflow-hidden">
      <ul ref={list} aria-label="Found" className="divide-y divide-line">
        {before > 0 ? <li aria-hidden="true" style={{ height: before }} /> : null}
        {shown.map(({ index, key }) => {
          const item = items[index];
          return item === undefined ? null : (
            <ItemRow
              key={key}
              ref={rows.measureElement}
              index={index}
              item={item}
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
function useStanding(items: readonly LogItem[], offset: number): void {
  const top = items[0]?.seq;
  const known = useRef(top);
  useLayoutEffect(() => {
    const added = items.findIndex(({ seq }) => seq === known.current);
    if (added > 0 && scrollY > offset) scrollBy(0, added * ROW_PX);
    known.current = top;
  }, [items, offset, top]);
}
