/** What stands around every page: the places, whether the gate is heard, and the switch. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, ask } from "../api/client.ts";
import { followLog, type LiveState } from "../api/live.ts";
import { RequestProblem } from "../api/problem.ts";
import { Button } from "../ui/button.tsx";
import { Failure } from "../ui/states.tsx";
import { ToastProvider } from "../ui/toast.tsx";
import { words } from "../ui/words.ts";
import { HelpDialog } from "./help.tsx";
import { PlaceIcon } from "./icons.tsx";
import { Palette } from "./palette.tsx";
import { PLACES } from "./places.ts";
import { onKey, useShortcuts } from "./shortcuts.ts";
import { StopDialog } from "./stop-dialog.tsx";

export function Shell() {
  const live = useLive();
  const [shown, setShown] = useState<"help" | "palette" | "stop" | null>(null);
  const navigate = useNavigate();
  const waiting = useWaiting();
  const health = useQuery({ queryKey: ["health"], queryFn: () => ask(api.health.$get()) });
  const close = () => setShown(null);
  useShortcuts([
    { keys: "?", does: "show the keys", run: () => setShown("help") },
    { keys: "mod+k", does: "go to a page or a run, or do something", run: () => setShown("palette") },
    ...PLACES.map(({ path, name, keys }) => ({ keys, does: `go to ${name}`, run: () => void navigate({ to: path }) })),
  ]);
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    document.title = waiting === 0 ? "SafeRun" : `(${waiting}) SafeRun`;
  }, [waiting]);
  const signedOut = health.error instanceof RequestProblem && health.error.status === 401;

  return (
    <ToastProvider>
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-accent focus:px-4 focus:py-2 focus:text-accent-ink"
      >
        Skip to the page
      </a>
      <div className="flex min-h-dvh flex-col md:flex-row">
        <Places waiting={waiting} />
        <div className="flex min-w-0 flex-1 flex-col pb-16 md:pb-0">
          {/* Whether the gate is heard, and the stop, are never scrolled away. */}
          <header className="sticky top-0 z-20 flex items-center justify-between gap-3 border-b border-line bg-canvas px-4 py-2 md:px-8">
            <Standing state={live} entries={health.data?.entries} />
            <div className="flex items-center gap-2">
              <Button tone="quiet" onClick={() => setShown("palette")}>
                Go to…
                <kbd className="font-mono text-xs max-sm:hidden">
                  {navigator.platform.startsWith("Mac") ? "⌘K" : "Ctrl K"}
                </kbd>
              </Button>
              <Button tone="danger" onClick={() => setShown("stop")}>
                Stop
              </Button>
            </div>
          </header>
          <main
            id="main"
            tabIndex={-1}
            className="mx-auto w-full max-w-6xl flex-1 has-data-wide:max-w-[112rem] px-4 py-6 has-data-wide:max-w-[120rem] md:px-8"
          >
            {signedOut ? <Failure error={health.error} /> : <Outlet />}
          </main>
        </div>
      </div>
      <HelpDialog open={shown === "help"} onClose={close} />
      <Palette open={shown === "palette"} onClose={close} onStop={() => setShown("stop")} />
      <StopDialog scope={{}} open={shown === "stop"} onClose={close} />
    </ToastProvider>
  );
}

function useLive(): LiveState {
  const queries = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");
  useEffect(() => {
    const stop = new AbortController();
    void followLog(queries, stop.signal, setState);
    return () => stop.abort();
  }, [queries]);
  return state;
}

function useWaiting(): number {
  const { data } = useQuery({
    queryKey: ["approvals"],
    queryFn: () => ask(api.approvals.$get()),
  });
  return data?.approvals.filter(({ state }) => state === "pending").length ?? 0;
}

/** A column on a wide screen, a bar at the thumb on a phone: the same list, written once. */
function Places({ waiting }: { readonly waiting: number }) {
  return (
    <nav
      aria-label="Pages"
      className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-surface md:sticky md:top-0 md:h-dvh md:w-52 md:shrink-0 md:overflow-y-auto md:border-t-0 md:border-r"
    >
      <div className="hidden px-5 pt-5 pb-4 text-lg font-semibold tracking-tight md:block">SafeRun</div>
      <ul className="flex overflow-x-auto md:flex-col md:gap-0.5 md:px-3">
        {PLACES.map(({ path, name }) => (
          <li key={path} className="min-w-14 flex-1 md:flex-none">
            <Link
              to={path}
              activeOptions={{ exact: path === "/" }}
              className="group relative flex min-h-14 flex-col items-center justify-center gap-0.5 px-1 text-xs text-muted md:min-h-9 md:flex-row md:justify-start md:gap-2.5 md:rounded-md md:px-2.5 md:text-base md:hover:bg-sunken"
              activeProps={{ className: "text-ink font-semibold md:bg-sunken" }}
            >
              <PlaceIcon path={path} />
              {name}
              {path === "/" && waiting > 0 ? (
                <span className="absolute top-1 right-1/2 translate-x-5 rounded-full bg-pause px-1.5 text-xs font-bold text-surface md:static md:ml-auto md:translate-x-0">
                  {waiting}
                  <span className="sr-only"> waiting</span>
                </span>
              ) : null}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const SAID: Readonly<Record<LiveState, string>> = {
  connecting: "connecting",
  live: "live",
  lost: "the gate is not heard",
};

function Standing({ state, entries }: { readonly state: LiveState; readonly entries: number | undefined }) {
  const tone = state === "live" ? "bg-allow" : state === "lost" ? "bg-deny" : "bg-line-strong";
  return (
    <p className="flex min-w-0 items-center gap-2 text-sm text-muted" aria-live="polite">
      <span aria-hidden="true" className={words("size-2 rounded-full", tone)} />
      <span className="truncate">
        {SAID[state]}
        {entries === undefined ? "" : ` · ${entries.toLocaleString()} entries`}
      </span>
    </p>
  );
}
