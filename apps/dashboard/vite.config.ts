import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page is served by the gate itself, under a policy that allows nothing inline: no module preload polyfill, no data URLs.
export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { conditions: ["@saferun/source", "module", "browser", "development|production"] },
  worker: { format: "es" },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    reportCompressedSize: false,
  },
});
