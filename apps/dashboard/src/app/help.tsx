import { Dialog } from "../ui/dialog.tsx";
import { useShortcutList } from "./shortcuts.ts";

export function HelpDialog({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const shortcuts = useShortcutList();
  return (
    <Dialog title="Keys" open={open} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2">
        {shortcuts.map(({ keys, does }) => (
          <div key={`${keys} ${does}`} className="contents">
            <dt>
              <Keys>{keys}</Keys>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

const MAC = navigator.platform.startsWith("Mac");

export function Keys({ children }: { readonly children: string }) {
  return (
    <span className="inline-flex gap-1">
      {children.split(" ").map((key) => (
        <kbd key={key} className="rounded border border-line bg-sunken px-1.5 py-0.5 font-mono text-xs text-muted">
          {key.replace("mod+", MAC ? "⌘" : "Ctrl ").replace("Arrow", "")}
        </kbd>
      ))}
    </span>
  );
}
