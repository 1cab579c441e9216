/**
 * Text of a tool, an agent or a model: untrusted. React never renders it as markup; here what could still mislead a reader
 * (control characters, invisible ones, changes of direction) is made visible, and its direction is kept to itself.
 */
import { printable } from "@saferun/core";

export function Untrusted({ children, className }: { readonly children: string; readonly className?: string }) {
  return (
    <bdi dir="auto" className={className}>
      {printable(children)}
    </bdi>
  );
}

/** The same of a text with lines: its own line breaks are kept, everything else that cannot be seen is shown. */
export function UntrustedLines({ children }: { readonly children: string }) {
  return (
    <bdi dir="auto" className="whitespace-pre-wrap">
      {children.split(/\r?\n/).map(printable).join("\n")}
    </bdi>
  );
}
