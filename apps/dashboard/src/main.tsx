import "./app.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RequestProblem } from "./api/problem.ts";
import { openSession } from "./api/session.ts";
import { router } from "./app/router.tsx";
import { applyTheme } from "./app/theme.ts";

const MOST_RETRIES = 3;

const queries = new QueryClient({
  defaultOptions: {
    // A press is sent now or not at all: nothing waits for the network and is decided by it later.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      // What changed is told by the event stream; without it the pages look again when somebody comes back to them.
      staleTime: 30_000,
      // An answer is an answer: only a gate that was not heard is asked again.
      retry: (failures, error) => failures < MOST_RETRIES && error instanceof RequestProblem && error.status === 0,
    },
  },
});

applyTheme();
const place = document.getElementById("app");
if (place === null) throw new Error("the page has no place for the dashboard");
// A link that cannot be used shows itself in the first request that the pages make.
await openSession().catch(() => undefined);
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
