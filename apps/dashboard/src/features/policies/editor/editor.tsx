/** The text of one file, with what is wrong in it. */
import type { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { PolicyIssue } from "../read.ts";
import type { Known } from "./completion.ts";
import { createEditor, jumpTo, replaceText, showIssues } from "./create.ts";

export interface Jump {
  readonly line: number;
  readonly column: number;
}

export interface EditorProps {
  readonly file: string;
  readonly text: string;
  readonly readOnly: boolean;
  readonly issues: readonly PolicyIssue[];
  readonly known: Known;
  /** A new object is a new jump, also to the same place. */
  readonly jump: Jump | null;
  readonly onChange: (text: string) => void;
}

/** One for each file: the caller gives it the file as its key. */
export function Editor({ file, text, readOnly, issues, known, jump, onChange }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ text, known, onChange });
  latest.current = { text, known, onChange };
  useEffect(() => {
    if (host.current === null) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const made = createEditor({
      file,
      text: latest.current.text,
      readOnly,
      root,
      known: () => latest.current.known,
      onChange: (changed) => latest.current.onChange(changed),
    });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [file, readOnly]);
  useEffect(() => {
    if (view.current !== null) replaceText(view.current, text);
  }, [text]);
  useEffect(() => {
    if (view.current !== null) showIssues(view.current, issues);
  }, [issues]);
  useEffect(() => {
    if (jump !== null && view.current !== null) jumpTo(view.current, jump.line, jump.column);
  }, [jump]);
  return (
    <div
      ref={host}
      className="h-[55dvh] min-h-72 overflow-hidden rounded-b-card lg:h-[calc(100dvh-19rem)]"
      data-editor={file}
    />
  );
}
