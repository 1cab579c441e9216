/** A list of any length that scrolls with the page: the rows in sight are in it, each as high as it is. */
import { defaultRangeExtractor, type Range, useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";

export interface WindowListHandle {
  /** Brings a row into sight. */
  show(key: string, align: "auto" | "start"): void;
}

export interface WindowListProps {
  readonly label: string;
  /** One for each row. */
  readonly keys: readonly string[];
  readonly row: (index: number) => ReactNode;
  /** Height of most rows, until they are measured. */
  readonly rowPx: number;
  readonly gapPx: number;
  /** As many rows are in the page whole, so that a search of the browser finds them. */
  readonly few: number;
  /** A row that stays in the page, wherever it is scrolled to. */
  readonly kept?: string | null;
  /** So does each in which somebody may have begun something; default true. */
  readonly keepsBegun?: boolean;
  /** What stands above the rows and does not scroll; default the bar of the page. */
  readonly topPx?: number;
  /** Told which rows are in sight, each time that others are. */
  readonly onRange?: (first: number, last: number) => void;
  readonly ref?: Ref<WindowListHandle>;
}

const AROUND = 3;
/** The bars of the page, at its top and on a phone at its bottom: no row is brought below them. */
const BAR_PX = 64;

export function WindowList(props: WindowListProps) {
  const { label, keys, row, rowPx, gapPx, few, kept = null, keepsBegun = true, topPx = BAR_PX, onRange, ref } = props;
  const list = useRef<HTMLOListElement>(null);
  const [offset, setOffset] = useState(0);
  // What is typed is nowhere but in its row.
  const begun = useRef(new Set<string>());
  useLayoutEffect(() => setOffset(list.current?.offsetTop ?? 0), []);
  const wanted = useCallback(
    (range: Range) => {
      const others = keys.flatMap((key, index) => (key === kept || begun.current.has(key) ? [index] : []));
      return [...new Set([...defaultRangeExtractor(range), ...others])].sort((one, other) => one - other);
    },
    [keys, kept],
  );
  const rows = useWindowVirtualizer({
    count: keys.length,
    estimateSize: () => rowPx,
    overscan: keys.length <= few ? few : AROUND,
    gap: gapPx,
    scrollMargin: offset,
    scrollPaddingStart: topPx,
    scrollPaddingEnd: BAR_PX,
    getItemKey: (index) => keys[index] ?? index,
    rangeExtractor: wanted,
  });
  useImperativeHandle(ref, () => ({
    show(key, align) {
      const index = keys.indexOf(key);
      if (index >= 0) rows.scrollToIndex(index, { align });
    },
  }));
  const { startIndex = 0, endIndex = 0 } = rows.range ?? {};
  useEffect(() => {
    onRange?.(startIndex, endIndex);
  }, [onRange, startIndex, endIndex]);
  return (
    <ol ref={list} aria-label={label} className="relative" style={{ height: rows.getTotalSize() }}>
      {rows.getVirtualItems().map(({ index, key, start }) => (
        <li
          key={key}
          ref={rows.measureElement}
          data-index={index}
          aria-setsize={keys.length}
          aria-posinset={index + 1}
          {...(keepsBegun ? { onFocus: () => begun.current.add(String(key)) } : {})}
          className="absolute inset-x-0"
          style={{ transform: `translateY(${start - offset}px)` }}
        >
          {row(index)}
        </li>
      ))}
    </ol>
  );
}
