/// <reference types="vitest/config" />
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `npm run dev` finds a running instance; the default is the port of `stockpot up`. */
const instance = process.env.STOCKPOT_URL ?? "http://127.0.0.1:4001";

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: {
    // What stands in for React's own hook in Reacts before 18.
    alias: [
      { find: /^use-sync-external-store\/shim$/, replacement: "react" },
      {
        find: /^use-sync-external-store\/shim\/with-selector$/,
        replacement: "use-sync-external-store/with-selector",
      },
    ],
  },
  build: {
    outDir: "../src/stockpot/console",
    emptyOutDir: true,
    target: ["chrome120", "edge120", "firefox121", "safari17.4"],
    // A page finds its parts when it is parsed. Naming them all beforehand would cost every visitor
    // a kilobyte of hashes, to save one round trip to a server that is near.
    modulePreload: {
      polyfill: false,
      resolveDependencies: (_, parts) => parts.filter((part) => part.endsWith(".css")),
    },
    manifest: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 400,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // The first load names every chunk: a name that says nothing more than its hash is shorter.
        chunkFileNames: "assets/[hash].js",
        // What every page needs compresses better in one file than in ten.
        codeSplitting: { groups: [{ name: "frame", tags: ["$initial"] }] },
      },
    },
  },
  // The browser's own Host goes on to the instance, which compares it with the page's origin before
  // it lets anything be written.
  server: {
    proxy: {
      "/api": { target: instance, changeOrigin: false },
      "/readyz": { target: instance, changeOrigin: false },
    },
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
