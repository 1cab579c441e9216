/** The record, searched: a word, a field, an argument. The query stands in the address, so that every answer is a link. */
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { Button } from "../../ui/button.tsx";
import { PageHead } from "../../ui/card.tsx";
import { EntryPanel } from "./entry-panel.tsx";
import { ExportDialog } from "./export-dialog.tsx";
import { Found } from "./found.tsx";
import { QueryBox } from "./query-box.tsx";
import { QueryHelp } from "./query-help.tsx";
import { SavedViews } from "./saved-views.tsx";
import { VerifyDialog } from "./verify/dialog.tsx";

const route = getRouteApi("/log");
const TYPING_MS = 120;

export function LogPage() {
  const { q = "", entry, follow = false, verify = false } = route.useSearch();
  const [exporting, setExporting] = useState(false);
  const navigate = route.useNavigate();
  const box = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(q);
  /** The address without the entry that is open. */
  const base = { ...(q === "" ? {} : { q }), ...(follow ? { follow } : {}) };
  useEffect(() => setTyped(q), [q]);
  useEffect(() => {
    if (typed === q) return;
    const timer = setTimeout(
      () =>
        void navigate({
          search: { ...(typed === "" ? {} : { q: typed }), ...(follow ? { follow } : {}) },
          replace: true,
        }),
      TYPING_MS,
    );
    return () => clearTimeout(timer);
  }, [typed, q, follow, navigate]);
  useShortcuts([{ keys: "/", does: "search the log", run: () => box.current?.focus() }]);
  return (
    <>
      <PageHead title="Log" about="Every proposal, decision, answer and outcome, as it was recorded.">
        <Button onClick={() => setExporting(true)}>Export…</Button>
        <Button onClick={() => void navigate({ search: { ...base, verify: true } })}>Verify…</Button>
      </PageHead>
      <search className="mb-4 block">
        <QueryBox ref={box} value={typed} onChange={setTyped} />
        <div className="mt-2 flex flex-wrap items-center gap-2">
          <SavedViews query={q} onChoose={(query) => void navigate({ search: { q: query } })} />
          <Button
            aria-pressed={follow}
            className={follow ? "bg-accent-soft" : ""}
            onClick={() =>
              void navigate({
                search: { ...(q === "" ? {} : { q }), ...(follow ? {} : { follow: true }) },
                replace: true,
              })
            }
          >
            {follow ? "Following" : "Follow"}
          </Button>
          <QueryHelp onChoose={(query) => void navigate({ search: { q: query } })} />
        </div>
      </search>
      <Found
        q={q}
        follow={follow}
        chosen={entry}
        onChoose={(seq) => void navigate({ search: { ...base, entry: seq } })}
        onQuery={(query) =>
          void navigate({ search: { ...(query === "" ? {} : { q: query }), ...(follow ? { follow } : {}) } })
        }
      />
      <EntryPanel seq={entry} onClose={() => void navigate({ search: base })} />
      <VerifyDialog open={verify} onClose={() => void navigate({ search: base })} />
      <ExportDialog query={q} open={exporting} onClose={() => setExporting(false)} />
    </>
  );
}
