/** Line icons of 20 px; decoration only, each stands beside its word. */
import type { ReactNode } from "react";

const PATHS: Readonly<Record<string, ReactNode>> = {
  "/": <path d="M3 11h4l1.5 2.5h3L13 11h4M3 11l2-6h10l2 6v5H3z" />,
  "/runs": <path d="M3 5h14M3 10h9M3 15h6M15 9v7m-3-3 3 3 3-3" />,
  "/log": <path d="M4 4h12v12H4zM7 8h6M7 11h6M7 14h3" />,
  "/protections": <path d="M10 3l6 2.5v4.2c0 3.6-2.5 6-6 7.3-3.5-1.300-6-3.700-6-7.300V5.500z" />,
  "/policies": <path d="M5 3h7l3 3v11H5zM12 3v3h3M8 10h4M8 13h4" />,
  "/agents": <path d="M4 8h12v8H4zM10 8V4m-2.500 0h5M7.500 11.500v1.500m5-1.500v1.500" />,
  "/settings": <path d="M4 6h7m3 0h2M4 14h2m3 0h7M11 4v4M9 12v4" />,
};

export function PlaceIcon({ path }: { readonly path: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 20 20"
      className="size-5 shrink-0"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {PATHS[path]}
    </svg>
  );
}
