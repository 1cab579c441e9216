/** The files with their editor on one side, what they come to on the other. */

import { printable } from "@saferun/core";
import { getRouteApi } from "@tanstack/react-router";
import { type ReactNode, useRef, useState } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { useToast } from "../../ui/toast.tsx";
import { ActivateDialog } from "./activate-dialog.tsx";
import { Backtest } from "./backtest.tsx";
import type { Drafts } from "./drafts.ts";
import type { Known } from "./editor/completion.ts";
import { Editor, type Jump } from "./editor/editor.tsx";
import { NewFile } from "./new-file.tsx";
import { Problems } from "./problems.tsx";
import type { Policies } from "./read.ts";
import { Revisions } from "./revisions.tsx";
import { Rules } from "./rules.tsx";
import { Try } from "./try.tsx";
import { useCheck } from "./use-check.ts";

const route = getRouteApi("/policies");

const PANELS = [
  { name: "try", title: "Try" },
  { name: "backtest", title: "Backtest" },
  { name: "rules", title: "Rules" },
  { name: "revisions", title: "Revisions" },
] as const;
type Panel = (typeof PANELS)[number]["name"];

export interface WorkbenchProps {
  readonly policies: Policies;
  readonly drafts: Drafts;
  readonly known: Known;
}

export function Workbench({ policies, drafts, known }: WorkbenchProps) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [jump, setJump] = useState<Jump | null>(null);
  const [dialog, setDialog] = useState<"activate" | "new" | null>(null);
  const check = useCheck(drafts.texts);
  const file = drafts.texts.some((one) => one.file === search.file) ? search.file : drafts.texts[0]?.file;
  const text = drafts.texts.find((one) => one.file === file)?.text ?? "";
  const readOnly = policies.files.some((one) => one.file === file && !one.writable);
  const issues = check.data?.issues ?? [];
  const usable = check.settled && check.data?.ok === true;
  const revision = usable ? (check.data?.revision ?? null) : null;
  const panel = PANELS.find(({ name }) => name === search.panel)?.name ?? "try";
  const open = (next: string) => navigate({ search: { ...search, file: next }, replace: true });
  const jumpTo = (place: { readonly file: string; readonly line: number; readonly column?: number }) => {
    if (drafts.texts.some((one) => one.file === place.file)) void open(place.file);
    setJump({ line: place.line, column: place.column ?? 1 });
  };
  const latest = useRef(drafts);
  latest.current = drafts;
  const say = useToast();
  const discard = () => {
    if (file === undefined || !drafts.changed.includes(file)) return;
    drafts.discard(file);
    say(`the draft of ${printable(file)} is gone`, () => latest.current.edit(file, text));
  };
  const editor = useRef<HTMLDivElement>(null);
  const toEditor = () =>
    editor.current?.querySelector("[data-editor]")?.shadowRoot?.querySelector<HTMLElement>("[role=textbox]")?.focus();
  useShortcuts([
    { keys: "e", does: "to the editor; Escape and Tab lead out of it", run: toEditor },
    ...PANELS.map(({ name, title }, at) => ({
      keys: String(at + 1),
      does: title,
      run: () => void navigate({ search: { ...search, panel: name }, replace: true }),
    })),
    { keys: "n", does: "new file", run: () => setDialog("new") },
    { keys: "d", does: "discard the draft; it can be taken back", run: discard },
    {
      keys: "f",
      does: "put in force, after a look at what changes",
      run: () => {
        if (drafts.changed.length > 0 && usable) setDialog("activate");
        else say("there is no draft that loads");
      },
    },
  ]);
  if (file === undefined) return null;
  return (
    // The text gets all the room that the window has.
    <div ref={editor} data-wide="" className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.6fr)_minmax(22rem,1fr)]">
      <Card className="min-w-0 overflow-hidden">
        <Tabs
          label="Files"
          tabs={drafts.texts.map((one) => ({
            name: one.file,
            title: <FileTitle file={one.file} changed={drafts.changed.includes(one.file)} />,
          }))}
          chosen={file}
          onChoose={(next) => void open(next)}
        >
          <Toolbar
            drafts={drafts}
            file={file}
            readOnly={readOnly}
            verdict={<Verdict issues={issues} settled={check.settled} failed={check.isError} />}
            usable={usable}
            onActivate={() => setDialog("activate")}
            onNew={() => setDialog("new")}
            onDiscard={discard}
          />
          <Editor
            key={file}
            file={file}
            text={text}
            readOnly={readOnly}
            issues={check.settled ? issues.filter((issue) => issue.file === file) : NO_ISSUES}
            known={known}
            jump={jump}
            onChange={(changed) => drafts.edit(file, changed)}
          />
        </Tabs>
        <Problems issues={issues} onJump={jumpTo} />
      </Card>
      <Card className="min-w-0">
        <Tabs
          label="What they come to"
          tabs={PANELS}
          chosen={panel}
          onChoose={(next: Panel) => void navigate({ search: { ...search, panel: next }, replace: true })}
        >
          <div className="p-4">
            {panel === "try" ? (
              <Try
                texts={drafts.texts}
                usable={usable}
                revision={revision}
                known={known}
                call={search.call}
                onTry={(call) => void navigate({ search: { ...search, call }, replace: true })}
              />
            ) : panel === "backtest" ? (
              <Backtest texts={drafts.texts} usable={usable} revision={revision} />
            ) : panel === "rules" ? (
              <Rules rules={policies.rules} onJump={jumpTo} />
            ) : (
              <Revisions now={policies.revision} />
            )}
          </div>
        </Tabs>
      </Card>
      <ActivateDialog
        policies={policies}
        drafts={drafts}
        revision={revision}
        open={dialog === "activate"}
        onClose={() => setDialog(null)}
      />
      <NewFile
        taken={drafts.texts.map((one) => one.file)}
        open={dialog === "new"}
        onClose={() => setDialog(null)}
        onCreate={(made, begun) => {
          drafts.edit(made, begun);
          void open(made);
        }}
      />
    </div>
  );
}

const NO_ISSUES: Policies["issues"] = [];

function FileTitle({ file, changed }: { readonly file: string; readonly changed: boolean }) {
  return (
    <span className="font-mono">
      <Untrusted>{file}</Untrusted>
      {changed ? (
        <>
          <span aria-hidden="true" className="ml-1.5 inline-block size-2 rounded-full bg-pause" />
          <span className="sr-only"> (draft)</span>
        </>
      ) : null}
    </span>
  );
}

interface ToolbarProps {
  readonly drafts: Drafts;
  readonly file: string;
  readonly readOnly: boolean;
  readonly verdict: ReactNode;
  readonly usable: boolean;
  readonly onActivate: () => void;
  readonly onNew: () => void;
  readonly onDiscard: () => void;
}

function Toolbar({ drafts, file, readOnly, verdict, usable, onActivate, onNew, onDiscard }: ToolbarProps) {
  const { changed, stale } = drafts;
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2">
      {verdict}
      {readOnly ? <Badge>TypeScript: read here, changed where it is kept</Badge> : null}
      {changed.length > 0 ? <Badge tone="pause">{stale ? "draft of an older revision" : "draft"}</Badge> : null}
      <div className="ml-auto flex flex-wrap gap-2">
        <Button tone="quiet" onClick={onNew}>
          New file…
        </Button>
        {changed.includes(file) ? <Button onClick={onDiscard}>Discard draft</Button> : null}
        <Button tone="primary" disabled={changed.length === 0 || !usable} onClick={onActivate}>
          Put in force…
        </Button>
      </div>
    </div>
  );
}

interface VerdictProps {
  readonly issues: Policies["issues"];
  readonly settled: boolean;
  readonly failed: boolean;
}

function Verdict({ issues, settled, failed }: VerdictProps) {
  const errors = issues.filter(({ severity }) => severity === "error").length;
  const text = failed
    ? "could not be checked"
    : !settled
      ? "checking…"
      : errors > 0
        ? `${errors} ${errors === 1 ? "error" : "errors"}`
        : issues.length > 0
          ? `loads, ${issues.length} ${issues.length === 1 ? "warning" : "warnings"}`
          : "loads";
  const tone = !settled || failed ? "plain" : errors > 0 ? "deny" : issues.length > 0 ? "pause" : "allow";
  return (
    <span role="status">
      <Badge tone={tone}>{text}</Badge>
    </span>
  );
}
