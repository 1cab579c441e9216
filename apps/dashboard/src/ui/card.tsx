import type { ReactNode } from "react";
import { words } from "./words.ts";

export function Card({ className, children }: { readonly className?: string; readonly children: ReactNode }) {
  return (
    <section className={words("rounded-card border border-line bg-surface shadow-raised", className)}>
      {children}
    </section>
  );
}

/** A page's heading with what can be done on it. */
export function PageHead({
  title,
  about,
  children,
}: {
  readonly title: ReactNode;
  readonly about?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
        {about === undefined ? null : <p className="mt-1 text-muted">{about}</p>}
      </div>
      {children === undefined ? null : <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}
