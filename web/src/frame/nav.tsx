import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useConnected } from "../api/connection";
import { instanceQuery, sessionQuery } from "../api/frame-queries";
import { Dot, type Tone } from "../ui/badge";
import { cx } from "../ui/cx";
import { Icon, type IconName, Mark } from "../ui/icons";
import { toggleTheme, useTheme } from "./theme";

const InstancePanel = lazy(() =>
  import("./instance-panel").then((module) => ({ default: module.InstancePanel })),
);
const AccountPanel = lazy(() =>
  import("./account-panel").then((module) => ({ default: module.AccountPanel })),
);

export type Page = { to: string; label: string; icon: IconName; keys: string };

/** The pages by what one comes for; a page is one line here. */
export const GROUPS = [
  {
    title: "Observe",
    pages: [
      { to: "/overview", label: "Overview", icon: "overview", keys: "g o" },
      { to: "/traces", label: "Traces", icon: "traces", keys: "g t" },
      { to: "/sessions", label: "Sessions", icon: "chats", keys: "g n" },
      { to: "/feedback", label: "Feedback", icon: "thumb", keys: "g f" },
      { to: "/cost", label: "Cost", icon: "cost", keys: "g c" },
      { to: "/monitors", label: "Monitors", icon: "bell", keys: "g w" },
      { to: "/readiness", label: "Readiness", icon: "stairs", keys: "g y" },
    ],
  },
  {
    title: "Build",
    pages: [
      { to: "/prompts", label: "Prompts", icon: "prompts", keys: "g i" },
      { to: "/playground", label: "Playground", icon: "playground", keys: "g p" },
      { to: "/datasets", label: "Data sets", icon: "grid", keys: "g d" },
      { to: "/annotation", label: "Annotation", icon: "tag", keys: "g q" },
      { to: "/evals", label: "Evaluations", icon: "pulse", keys: "g e" },
      { to: "/judges", label: "Judges", icon: "scales", keys: "g j" },
      { to: "/experiments", label: "Experiments", icon: "split", keys: "g x" },
      { to: "/pipelines", label: "Pipelines", icon: "refresh", keys: "g b" },
      { to: "/rightsize", label: "Right-sizing", icon: "filter", keys: "g z" },
    ],
  },
  {
    title: "Gateway",
    pages: [
      { to: "/models", label: "Models", icon: "models", keys: "g m" },
      { to: "/routes", label: "Routes", icon: "routes", keys: "g r" },
      { to: "/providers", label: "Providers", icon: "server", keys: "g v" },
      { to: "/keys", label: "Keys", icon: "keys", keys: "g k" },
      { to: "/guardrails", label: "Guardrails", icon: "shield", keys: "g g" },
      { to: "/revisions", label: "Revisions", icon: "revisions", keys: "g h" },
    ],
  },
  {
    title: "Company",
    pages: [
      { to: "/requests", label: "Access requests", icon: "inbox", keys: "g a" },
      { to: "/people", label: "People", icon: "people", keys: "g u" },
      { to: "/audit", label: "Audit log", icon: "audit", keys: "g l" },
      { to: "/settings", label: "Settings", icon: "settings", keys: "g s" },
    ],
  },
] as const satisfies readonly { title: string; pages: readonly Page[] }[];

// Where the window is low the rows draw together, so that all pages stay in sight.
const ROW =
  "flex h-7.5 w-full [@media(max-height:960px)]:h-6.25 items-center gap-2.5 rounded-md px-2 -outline-offset-2 text-ink-2 hover:bg-hover hover:text-ink max-wide:justify-center max-wide:px-0";
const WORD = "truncate max-wide:sr-only";

export function Nav() {
  const theme = useTheme();
  const list = useRef<HTMLDivElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the page that is open changes with its path
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [pathname]);
  return (
    <nav
      aria-label="Main"
      className="flex w-[200px] shrink-0 flex-col border-r bg-panel px-2 pb-2 max-wide:w-[52px] max-wide:px-1.5"
    >
      <Link
        to="/overview"
        className="flex h-12 items-center gap-2 px-2 max-wide:justify-center max-wide:px-0"
        aria-label="stockpot: overview"
      >
        <Mark />
        <span className={cx("text-base font-semibold tracking-tight", WORD)}>stockpot</span>
      </Link>
      <div ref={list} className="flex min-h-0 flex-1 flex-col gap-2 overflow-y-auto">
        {GROUPS.map(({ title, pages }) => (
          <div key={title}>
            <p aria-hidden className="px-2 pb-0.5 text-2xs text-ink-3 max-wide:hidden">
              {title}
            </p>
            <ul aria-label={title} className="flex flex-col">
              {pages.map(({ to, label, icon, keys }) => (
                <li key={to}>
                  <Link
                    to={to}
                    title={`${label} (${keys})`}
                    className={ROW}
                    activeProps={{ className: "bg-hover font-medium !text-ink" }}
                  >
                    <Icon name={icon} className="shrink-0" />
                    <span className={WORD}>{label}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
      <div className="mt-auto flex flex-col gap-0.5 border-t pt-1.5">
        <InstanceButton />
        <button type="button" className={ROW} onClick={toggleTheme} title="Dark or light (T)">
          <Icon name={theme === "dark" ? "sun" : "moon"} className="shrink-0" />
          <span className={WORD}>{theme === "dark" ? "Light theme" : "Dark theme"}</span>
        </button>
        <AccountButton />
      </div>
    </nav>
  );
}

function InstanceButton() {
  const { data, error } = useQuery(instanceQuery);
  const connected = useConnected();
  const away = !connected || (error !== null && !data);
  const [asked, setAsked] = useState(false);
  const restarting = data?.processes.some((process) => process.state !== "running") ?? false;
  const tone: Tone = away
    ? "bad"
    : !data
      ? "mute"
      : restarting || data.notices.length > 0
        ? "warn"
        : "ok";
  const word = !connected
    ? "No answer"
    : away
      ? "Failing"
      : !data
        ? "…"
        : restarting
          ? "Degraded"
          : "Running";
  const button = (
    <button
      type="button"
      className={ROW}
      onClick={() => setAsked(true)}
      title={`Instance: ${word}`}
    >
      <span className="flex w-4 shrink-0 justify-center">
        <Dot tone={tone} />
      </span>
      <span className={WORD}>{word}</span>
      {data && (
        <span className="ml-auto font-mono text-2xs text-ink-3 max-wide:hidden">
          {data.version}
        </span>
      )}
    </button>
  );
  if (!asked) return button;
  return (
    <Suspense fallback={button}>
      <InstancePanel trigger={button} />
    </Suspense>
  );
}

function AccountButton() {
  const { data } = useQuery(sessionQuery);
  const [asked, setAsked] = useState(false);
  const name = data?.user.name || data?.user.email || "Account";
  const button = (
    <button type="button" className={ROW} onClick={() => setAsked(true)} title={data?.user.email}>
      <span
        aria-hidden="true"
        className="-mx-0.5 flex size-5 shrink-0 items-center justify-center rounded-full bg-mute-wash text-2xs font-semibold uppercase"
      >
        {name.slice(0, 1)}
      </span>
      <span className={WORD}>{name}</span>
    </button>
  );
  if (!asked) return button;
  return (
    <Suspense fallback={button}>
      <AccountPanel trigger={button} />
    </Suspense>
  );
}
