/** Where questions go, who this is, what the page rests on, and how it looks. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, ask } from "../../api/client.ts";
import { Keys } from "../../app/help.tsx";
import { useShortcutList } from "../../app/shortcuts.ts";
import { setTheme, THEMES, type Theme, useTheme } from "../../app/theme.ts";
import { useWalk } from "../../app/walk.ts";
import { Badge } from "../../ui/badge.tsx";
import { Card, PageHead } from "../../ui/card.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Channels } from "./channels.tsx";

export function SettingsPage() {
  const list = useWalk<HTMLDivElement>("channel or setting", "li button:enabled, fieldset input:checked");
  return (
    <div ref={list}>
      <PageHead title="Settings" about="Where questions go, and who you are here." />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="space-y-5">
          <Section title="Channels" about="Beside this page and the terminal, a question may be put to people here.">
            <Channels />
          </Section>
          <Section title="Look">
            <Look />
          </Section>
          <Section title="People and tokens">
            <p className="text-muted">
              There are none to manage here: this page serves one account on one machine, by a link that opens one
              browser. People with sign-in and roles, tokens for agents and connections come with the server.
            </p>
          </Section>
        </div>
        <div className="space-y-5">
          <Section title="This account" about="Whoever started the gate on this machine; nobody has verified it.">
            <Account />
          </Section>
          <Section title="Keys" about="They rest while you type.">
            <ShortcutList />
          </Section>
        </div>
      </div>
    </div>
  );
}

function Section({
  title,
  about,
  children,
}: {
  readonly title: string;
  readonly about?: string;
  readonly children: ReactNode;
}) {
  return (
    <Card className="p-5">
      <h2 className="text-lg font-semibold">{title}</h2>
      {about === undefined ? null : <p className="mt-0.5 text-muted">{about}</p>}
      <div className="mt-4">{children}</div>
    </Card>
  );
}

function Account() {
  const { data, error, refetch } = useQuery({ queryKey: ["health"], queryFn: () => ask(api.health.$get()) });
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Skeleton lines={2} />;
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["Name", <Untrusted key="name">{data.user}</Untrusted>],
    ["Roles", <Roles key="roles" roles={data.roles} />],
    [
      "Store",
      <code key="store" className="font-mono text-sm break-all">
        <Untrusted>{data.store}</Untrusted>
      </code>,
    ],
    [
      "Log",
      <code key="log" className="font-mono text-sm break-all">
        {data.log}
      </code>,
    ],
    ["Entries", data.entries.toLocaleString()],
  ];
  return (
    <>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 text-sm text-muted">
        Roles come from <code className="font-mono">SAFERUN_ROLES</code> where{" "}
        <code className="font-mono">saferun dev</code> was started, such as{" "}
        <code className="font-mono">SAFERUN_ROLES=approver,admin</code>.
      </p>
    </>
  );
}

function Roles({ roles }: { readonly roles: readonly string[] }) {
  if (roles.length === 0) return <span className="text-muted">none are set</span>;
  return (
    <span className="flex flex-wrap gap-1.5">
      {roles.map((role) => (
        <Badge key={role} tone="accent">
          {role}
        </Badge>
      ))}
    </span>
  );
}

const SAID: Readonly<Record<Theme, string>> = { system: "as the system says", light: "light", dark: "dark" };

function Look() {
  const theme = useTheme();
  return (
    <fieldset>
      <legend className="sr-only">Theme</legend>
      <div className="flex flex-wrap gap-4">
        {THEMES.map((one) => (
          <label key={one} className="flex min-h-11 items-center gap-2 md:min-h-9">
            <input
              type="radio"
              name="theme"
              className="size-4 accent-accent"
              checked={theme === one}
              onChange={() => setTheme(one)}
            />
            {SAID[one]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function ShortcutList() {
  const shortcuts = useShortcutList();
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
      {shortcuts.map(({ keys, does }) => (
        <div key={`${keys} ${does}`} className="contents">
          <dt>
            <Keys>{keys}</Keys>
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
  );
}
