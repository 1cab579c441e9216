import type { ButtonHTMLAttributes, ReactNode } from "react";
import { words } from "./words.ts";

type Tone = "plain" | "primary" | "danger" | "quiet";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly tone?: Tone;
  /** Something runs: the button waits and says so. */
  readonly busy?: boolean;
  readonly children: ReactNode;
}

const TONES: Readonly<Record<Tone, string>> = {
  plain: "border-line bg-raised text-ink hover:bg-sunken",
  primary: "border-transparent bg-accent text-accent-ink hover:opacity-90",
  danger: "border-transparent bg-deny text-surface hover:opacity-90",
  quiet: "border-transparent bg-transparent text-muted hover:bg-sunken hover:text-ink",
};

/** At least 36 px high, 44 on a phone: it is pressed with a thumb. */
export function Button({ tone = "plain", busy = false, className, children, disabled, type, ...rest }: ButtonProps) {
  return (
    <button
      type={type ?? "button"}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      className={words(
        "inline-flex min-h-11 items-center justify-center gap-2 rounded-md border px-3.5 font-medium motion-safe:transition-colors md:min-h-9",
        "disabled:cursor-not-allowed disabled:opacity-55",
        TONES[tone],
        className,
      )}
      {...rest}
    >
      {busy ? <Spinner /> : null}
      {children}
    </button>
  );
}

function Spinner() {
  return (
    <span
      aria-hidden="true"
      className="size-3.5 motion-safe:animate-spin rounded-full border-2 border-current border-t-transparent opacity-80"
    />
  );
}
