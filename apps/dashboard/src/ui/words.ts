/** Classes by condition, without a package for it. */
export function words(...parts: readonly (string | false | null | undefined)[]): string {
  return parts.filter(Boolean).join(" ");
}
