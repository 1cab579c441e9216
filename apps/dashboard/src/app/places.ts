/** The places of the dashboard: what the navigation, the palette and the keys lead to. */
export const PLACES = [
  { path: "/", name: "Inbox", keys: "g i", about: "what waits for a person" },
  { path: "/runs", name: "Runs", keys: "g r", about: "what agents do, step by step" },
  { path: "/log", name: "Log", keys: "g l", about: "search the record, verify it" },
  { path: "/protections", name: "Limits", keys: "g b", about: "breakers, budgets, stops" },
  { path: "/policies", name: "Policies", keys: "g p", about: "edit, try out, put in force" },
  { path: "/agents", name: "Agents", keys: "g a", about: "who can call what" },
  { path: "/settings", name: "Settings", keys: "g s", about: "channels, people, theme" },
] as const;
