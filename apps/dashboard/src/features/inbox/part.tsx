import type { ReactNode } from "react";

export function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="mt-4">
      <h3 className="mb-1 text-sm font-semibold text-muted">{title}</h3>
      {children}
    </div>
  );
}
