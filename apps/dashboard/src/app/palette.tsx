/** The command palette: places, runs, and what can be done from anywhere. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { api, ask } from "../api/client.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Untrusted } from "../ui/text.tsx";
import { Keys } from "./help.tsx";
import { PLACES } from "./places.ts";
import { setTheme, THEMES } from "./theme.ts";

export interface PaletteProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onStop: () => void;
}

const ITEM =
  "flex min-h-11 items-center justify-between gap-4 rounded-md px-3 py-1.5 data-[selected=true]:bg-accent-soft md:min-h-9";

export function Palette({ open, onClose, onStop }: PaletteProps) {
  const navigate = useNavigate();
  const runs = useQuery({
    queryKey: ["runs", "palette"],
    queryFn: () => ask(api.runs.$get({ query: {} })),
    enabled: open,
  });
  const then = (act: () => void) => () => {
    onClose();
    act();
  };
  return (
    <Dialog title="Go to, or do" open={open} onClose={onClose}>
      <Command label="Go to, or do" loop className="outline-none">
        <Command.Input
          autoFocus
          placeholder="A page, a run, a word of the log…"
          className="mb-3 min-h-11 w-full rounded-md border border-line-strong bg-surface px-3"
        />
        <Command.List className="max-h-[50dvh] overflow-auto [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-3 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-sm [&_[cmdk-group-heading]]:font-semibold [&_[cmdk-group-heading]]:text-muted">
          <Command.Empty className="px-3 py-4 text-muted">Nothing is called that.</Command.Empty>
          <Command.Group heading="Pages">
            {PLACES.map(({ path, name, about, keys }) => (
              <Command.Item
                key={path}
                value={`${name} ${about}`}
                onSelect={then(() => void navigate({ to: path }))}
                className={ITEM}
              >
                <span>
                  {name} <span className="text-muted">{about}</span>
                </span>
                <Keys>{keys}</Keys>
              </Command.Item>
            ))}
          </Command.Group>
          <Command.Group heading="Do">
            <Command.Item value="stop everything" onSelect={then(onStop)} className={ITEM}>
              Stop everything…
            </Command.Item>
            {THEMES.map((theme) => (
              <Command.Item
                key={theme}
                value={`theme ${theme}`}
                onSelect={then(() => setTheme(theme))}
                className={ITEM}
              >
                Theme: {theme}
              </Command.Item>
            ))}
          </Command.Group>
          <Command.Group heading="Runs">
            {runs.data?.runs.slice(0, 20).map(({ id, agent }) => (
              <Command.Item
                key={id}
                value={`${id} ${agent}`}
                onSelect={then(() => void navigate({ to: "/runs/$id", params: { id } }))}
                className={ITEM}
              >
                <Untrusted className="truncate font-mono text-sm">{id}</Untrusted>
                <Untrusted className="truncate text-muted">{agent}</Untrusted>
              </Command.Item>
            ))}
          </Command.Group>
        </Command.List>
      </Command>
    </Dialog>
  );
}
