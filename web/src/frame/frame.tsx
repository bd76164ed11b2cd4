// The frame around every page: navigation, scope, banner, palette, shortcuts.
import { Outlet, useMatches, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { Banner } from "./banner";
import { showCutText } from "./cut-text";
import { GROUPS, Nav } from "./nav";
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
  useEffect(showCutText, []);
  useEffect(haveDialogsReady, []);
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

/** What opens from the frame is fetched while nothing else is: it opens without a connection, too. */
function haveDialogsReady() {
  const soon = setTimeout(() => {
    void Promise.allSettled([
      import("./palette"),
      import("./help"),
      import("./instance-panel"),
      import("./account-panel"),
      import("./custom-range"),
    ]);
  }, 2_000);
  return () => clearTimeout(soon);
}

function useGlobalShortcuts(showHelp: () => void) {
  const navigate = useNavigate();
  const group = "Go to";
  useShortcuts([
    ...GROUPS.flatMap(({ pages }) =>
      pages.map(({ to, label, keys }) => ({ keys, label, group, run: () => navigate({ to }) })),
    ),
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
