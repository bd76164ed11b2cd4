// The frame around every page: navigation, scope, banner, palette, shortcuts.
import { Outlet, useMatches, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { Banner } from "./banner";
import { Nav } from "./nav";
import { openPalette, usePalette } from "./palette-store";
import { ScopeBar } from "./scope-bar";
import { listen, useShortcuts } from "./shortcuts";
import { toggleTheme } from "./theme";

const Palette = lazy(() => import("./palette").then((module) => ({ default: module.Palette })));
const Help = lazy(() => import("./help").then((module) => ({ default: module.Help })));

export function Frame() {
  const palette = usePalette();
  const [help, setHelp] = useState(false);
  const title = useMatches().findLast((match) => match.staticData.title)?.staticData.title;
  useEffect(listen, []);
  useEffect(() => {
    document.title = title ? `${title} · stockpot` : "stockpot";
  }, [title]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette(true);
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  useGlobalShortcuts(() => setHelp(true));
  return (
    <div className="flex h-full min-w-[640px] flex-col">
      <a
        href="#page"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:rounded focus:bg-raised focus:px-3 focus:py-1"
      >
        Skip to the page
      </a>
      <Banner />
      <div className="flex min-h-0 flex-1">
        <Nav />
        <div className="flex min-w-0 flex-1 flex-col">
          <ScopeBar title={title ?? ""} />
          <main id="page" className="min-h-0 flex-1 overflow-auto" tabIndex={-1}>
            <Outlet />
          </main>
        </div>
      </div>
      <Suspense>
        {palette && <Palette onClose={() => openPalette(false)} />}
        {help && <Help onClose={() => setHelp(false)} />}
      </Suspense>
    </div>
  );
}

function useGlobalShortcuts(showHelp: () => void) {
  const navigate = useNavigate();
  const group = "Go to";
  useShortcuts([
    { keys: "g o", label: "Overview", group, run: () => navigate({ to: "/overview" }) },
    { keys: "g t", label: "Traces", group, run: () => navigate({ to: "/traces" }) },
    { keys: "g i", label: "Prompts", group, run: () => navigate({ to: "/prompts" }) },
    { keys: "g p", label: "Playground", group, run: () => navigate({ to: "/playground" }) },
    { keys: "g m", label: "Models", group, run: () => navigate({ to: "/models" }) },
    { keys: "g r", label: "Routes", group, run: () => navigate({ to: "/routes" }) },
    { keys: "g v", label: "Providers", group, run: () => navigate({ to: "/providers" }) },
    { keys: "g h", label: "Revisions", group, run: () => navigate({ to: "/revisions" }) },
    { keys: "g k", label: "Keys", group, run: () => navigate({ to: "/keys" }) },
    { keys: "g c", label: "Cost", group, run: () => navigate({ to: "/cost" }) },
    { keys: "g e", label: "Evaluations", group, run: () => navigate({ to: "/evals" }) },
    { keys: "g w", label: "Monitors", group, run: () => navigate({ to: "/monitors" }) },
    { keys: "g a", label: "Access requests", group, run: () => navigate({ to: "/requests" }) },
    { keys: "g u", label: "People", group, run: () => navigate({ to: "/people" }) },
    { keys: "g l", label: "Audit log", group, run: () => navigate({ to: "/audit" }) },
    { keys: "g s", label: "Settings", group, run: () => navigate({ to: "/settings" }) },
    { keys: "?", label: "This help", group: "Everywhere", run: showHelp },
    { keys: "T", label: "Dark or light", group: "Everywhere", run: toggleTheme },
    {
      keys: "/",
      label: "Search on this page",
      group: "Everywhere",
      run: () => document.querySelector<HTMLInputElement>("[data-search]")?.focus(),
    },
  ]);
}
