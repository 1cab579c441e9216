/** What changed between two texts, line by line, with a few lines around. */
import { structuredPatch } from "diff";
import { UntrustedLines } from "./text.tsx";
import { words } from "./words.ts";

const AROUND = 2;
const MOST_LINES = 2_000;

export function TextDifference({ before, after }: { readonly before: string; readonly after: string }) {
  const { hunks } = structuredPatch("", "", before, after, "", "", { context: AROUND });
  if (hunks.length === 0) return <p className="text-muted">Nothing is changed.</p>;
  let shown = 0;
  return (
    <section
      className="max-h-96 overflow-auto rounded-md border border-line font-mono text-sm"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached with the keyboard
      tabIndex={0}
      aria-label="Difference"
    >
      {hunks.map((hunk) => (
        <div key={`${hunk.oldStart} ${hunk.newStart}`} className="border-b border-line last:border-b-0">
          <p className="bg-sunken px-3 py-0.5 text-muted">line {hunk.newStart}</p>
          {hunk.lines.map((line) => {
            shown++;
            return shown > MOST_LINES ? null : <Line key={`${hunk.oldStart} ${shown}`} line={line} />;
          })}
        </div>
      ))}
      {shown > MOST_LINES ? <p className="px-3 py-1 text-muted">and {shown - MOST_LINES} more lines</p> : null}
    </section>
  );
}

function Line({ line }: { readonly line: string }) {
  const sign = line[0] ?? " ";
  // `\ No newline at end of file` is about the line above.
  if (sign === "\\") return null;
  const said = sign === "+" ? "added: " : sign === "-" ? "removed: " : "";
  return (
    <div className={words("flex px-3", sign === "+" && "bg-allow-soft", sign === "-" && "bg-deny-soft")}>
      <span aria-hidden="true" className="w-4 shrink-0 text-muted select-none">
        {sign === "-" ? "−" : sign}
      </span>
      <span className="sr-only">{said}</span>
      <span className="min-w-0 break-words whitespace-pre-wrap">
        <UntrustedLines>{line.slice(1)}</UntrustedLines>
      </span>
    </div>
  );
}
