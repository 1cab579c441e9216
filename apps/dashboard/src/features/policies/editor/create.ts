/** CodeMirror, set up for policies. Everything of it stands in a shadow tree: there its styles need no inline `<style>`. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { type Diagnostic, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Text } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import type { PolicyIssue } from "../read.ts";
import { completions, type Known } from "./completion.ts";
import { look } from "./theme.ts";

export interface EditorOptions {
  readonly file: string;
  readonly text: string;
  readonly readOnly: boolean;
  readonly root: ShadowRoot;
  readonly known: () => Known;
  readonly onChange: (text: string) => void;
}

export function createEditor({ file, text, readOnly, root, known, onChange }: EditorOptions): EditorView {
  return new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        highlightActiveLineGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        bracketMatching(),
        closeBrackets(),
        readOnly ? [EditorState.readOnly.of(true)] : autocompletion({ override: [completions(known)] }),
        file.endsWith("ts") ? [] : yaml(),
        EditorView.lineWrapping,
        // Tab leaves the editor after Escape, as CodeMirror has it.
        keymap.of([
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...historyKeymap,
          ...lintKeymap,
          ...defaultKeymap,
          ...(readOnly ? [] : [indentWithTab]),
        ]),
        look,
        EditorView.contentAttributes.of({ "aria-label": `text of ${file}`, spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
}

/** The same text from elsewhere, a draft that was dropped for one; undo takes it back. */
export function replaceText(view: EditorView, text: string): void {
  const { doc } = view.state;
  if (doc.toString() !== text) view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
}

export function showIssues(view: EditorView, issues: readonly PolicyIssue[]): void {
  const { doc } = view.state;
  view.dispatch(setDiagnostics(view.state, issues.map((issue) => diagnosticOf(doc, issue)).sort(byPlace)));
}

export function jumpTo(view: EditorView, line: number, column: number): void {
  const at = positionOf(view.state.doc, line, column);
  view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
  view.focus();
}

const SEVERITIES = { error: "error", warning: "warning", note: "info" } as const;

function diagnosticOf(doc: Text, { severity, message, hint, line, column }: PolicyIssue): Diagnostic {
  const from = positionOf(doc, line, column);
  const rest = doc.lineAt(from).text.slice(from - doc.lineAt(from).from);
  const length = /^[\w.*/-]+/.exec(rest)?.[0].length ?? Math.min(1, rest.length);
  const about = hint === null ? message : `${message}\n${hint}`;
  return { from, to: from + length, severity: SEVERITIES[severity], message: about };
}

function byPlace(one: Diagnostic, other: Diagnostic): number {
  return one.from - other.from;
}

/** Issues may speak of a text that was changed since: a place beyond its end is its end. */
function positionOf(doc: Text, line: number, column: number): number {
  const { from, to } = doc.line(Math.max(1, Math.min(line, doc.lines)));
  return Math.min(to, from + Math.max(0, column - 1));
}
