/** Questions that wait for a person, the oldest first: a new one never moves a button under somebody's finger. */
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { PageHead } from "../../ui/card.tsx";
import { Empty, Unread } from "../../ui/states.tsx";
import { useToast } from "../../ui/toast.tsx";
import { WindowList, type WindowListHandle } from "../../ui/window-list.tsx";
import { readApprovals, type Summary } from "./approval.ts";
import { ApprovalCard } from "./card.tsx";
import { Welcome } from "./welcome.tsx";

export function InboxPage() {
  const { data, error, refetch } = useQuery({ queryKey: ["approvals"], queryFn: readApprovals });
  // What is known stays in sight while the gate is not heard: the head of the page says that it is not.
  if (data === undefined) return <Unread title="Inbox" error={error} retry={() => void refetch()} />;
  return <Questions approvals={data.approvals} more={data.more} />;
}

const RECENT = 20;
/** Of a question with a few arguments. */
const CARD_PX = 420;

function Questions({ approvals, more }: { readonly approvals: readonly Summary[]; readonly more: boolean }) {
  const oldestFirst = (one: Summary, other: Summary) => (one.created_at < other.created_at ? -1 : 1);
  const { approval: linked } = useSearch({ from: "/" });
  const kept = useRef(new Set<string>());
  for (const { id, state } of approvals) if (isWaiting(state) || id === linked) kept.current.add(id);
  // What is decided while somebody looks stays where it is and says by whom: it never vanishes under their eyes.
  const waiting = approvals.filter(({ id }) => kept.current.has(id)).sort(oldestFirst);
  const decided = approvals.filter(({ id }) => !kept.current.has(id)).slice(0, RECENT);
  const count = waiting.filter(({ state }) => isWaiting(state)).length;
  const list = useRef<WindowListHandle>(null);
  const [chosen, setChosen] = useState<string | null>(linked ?? null);
  useEffect(() => {
    if (linked === undefined) return;
    setChosen(linked);
    list.current?.show(linked, "start");
  }, [linked]);
  const [looking, setLooking] = useState(false);
  const say = useToast();
  const at = waiting.findIndex(({ id }) => id === chosen);
  const go = (to: number) => {
    const id = waiting[Math.max(0, Math.min(waiting.length - 1, to))]?.id;
    if (id === undefined) return;
    setChosen(id);
    list.current?.show(id, "auto");
  };
  /** Nothing is decided by one key: it leads to the button, and Enter presses it. */
  const focus = (act: string) => () => {
    const id = chosen ?? waiting[0]?.id;
    const button =
      id === undefined ? null : document.getElementById(id)?.querySelector<HTMLElement>(`[data-act=${act}]`);
    if (button == null) return say("nothing to do here");
    button.focus();
    if (act === "edit") button.click();
  };
  useShortcuts([
    { keys: "j", does: "next question", run: () => go(at + 1) },
    { keys: "k", does: "previous question", run: () => go(at === -1 ? 0 : at - 1) },
    { keys: "a", does: "to Approve; Enter presses it", run: focus("approve") },
    { keys: "e", does: "edit the arguments", run: focus("edit") },
    { keys: "d", does: "to Deny; Enter presses it", run: focus("deny") },
  ]);
  return (
    <>
      <PageHead title="Inbox" about={aboutText(count, more)} />
      {waiting.length === 0 ? <NothingWaits known={approvals.length > 0} /> : null}
      {linked !== undefined && !approvals.some(({ id }) => id === linked) ? (
        // One that the list no longer reaches back to.
        <div className="mb-4">
          <ApprovalCard id={linked} current />
        </div>
      ) : null}
      {waiting.length === 0 ? null : (
        <WindowList
          ref={list}
          label="Questions"
          keys={waiting.map(({ id }) => id)}
          row={(index) => {
            const id = waiting[index]?.id;
            return id === undefined ? null : <ApprovalCard id={id} current={id === chosen} />;
          }}
          rowPx={CARD_PX}
          gapPx={16}
          few={20}
          kept={chosen}
        />
      )}
      {decided.length === 0 ? null : (
        <details className="mt-8" onToggle={(event) => setLooking(event.currentTarget.open)}>
          <summary className="mb-3 font-semibold">Decided lately ({decided.length})</summary>
          <div className="space-y-4">
            {looking ? decided.map(({ id }) => <ApprovalCard key={id} id={id} current={false} />) : null}
          </div>
        </details>
      )}
    </>
  );
}

function isWaiting(state: Summary["state"]): boolean {
  return state === "pending" || state === "suspended";
}

function aboutText(waiting: number, more: boolean): string {
  if (waiting === 0) return "Calls that a policy pauses wait here for a person.";
  if (more) return `More than ${waiting} calls wait for a person; the newest are here. Silence denies.`;
  return `${waiting} ${waiting === 1 ? "call waits" : "calls wait"} for a person. Silence denies.`;
}

function NothingWaits({ known }: { readonly known: boolean }) {
  return known ? (
    <Empty title="Nothing waits for you">A call that a policy pauses appears here at once.</Empty>
  ) : (
    <Welcome />
  );
}
