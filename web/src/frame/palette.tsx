// The command palette: every page, action, model and trace one keystroke away.
import { Dialog as Base } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { call } from "../api/client";
import { instanceQuery, keysQuery, modelsQuery, projectsQuery } from "../api/queries";
import type { TracePage } from "../api/types";
import { copyText } from "../ui/copy";
import { cx } from "../ui/cx";
import { moment } from "../ui/format";
import { Icon, type IconName } from "../ui/icons";
import { Kbd } from "../ui/kbd";
import { toast } from "../ui/toast";
import { GROUPS, type Page } from "./nav";
import { rank } from "./rank";
import { signOut } from "./session";
import { toggleTheme } from "./theme";

export interface Command {
  id: string;
  label: string;
  group: string;
  icon: IconName;
  note?: string;
  keys?: string;
  run: () => void;
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const fixed = useCommands();
  const traces = useTraceCommands(typed);
  const shown = useMemo(
    () => [...traces, ...rank(fixed, typed)].slice(0, 60),
    [traces, fixed, typed],
  );
  const at = Math.min(chosen, shown.length - 1);

  useEffect(() => {
    list.current?.querySelector(`[data-index="${at}"]`)?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKey = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      setChosen((at + step + shown.length) % Math.max(1, shown.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(shown[at]);
    }
  };
  return (
    <Base.Root open onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-50 bg-[oklch(0.15_0.01_60/0.3)]" />
        <Base.Popup
          aria-label="Command palette"
          className="fixed top-[min(14vh,140px)] left-1/2 z-50 flex max-h-[60vh] w-[600px] max-w-[calc(100vw-32px)] -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line-strong bg-raised shadow-[var(--shadow)] outline-none"
        >
          <div className="flex items-center gap-2.5 border-b px-4">
            <Icon name="search" className="text-ink-3" />
            <input
              role="combobox"
              aria-expanded="true"
              aria-controls={`${id}-list`}
              aria-activedescendant={shown[at] ? `${id}-${at}` : undefined}
              aria-label="Search or jump to"
              placeholder="Page, action, model, key, or a trace id"
              value={typed}
              onChange={(event) => {
                setTyped(event.target.value);
                setChosen(0);
              }}
              onKeyDown={onKey}
              spellCheck={false}
              className="h-11 flex-1 bg-transparent text-base outline-none"
            />
            <Kbd>Esc</Kbd>
          </div>
          <div
            ref={list}
            id={`${id}-list`}
            role="listbox"
            aria-label="Commands"
            className="overflow-y-auto p-1.5"
          >
            {shown.length === 0 && (
              <p className="px-2.5 py-3 text-ink-2">Nothing matches {JSON.stringify(typed)}.</p>
            )}
            {shown.map((command, index) => (
              <div key={command.id}>
                {command.group !== shown[index - 1]?.group && (
                  <p className="px-2.5 pt-2 pb-1 text-2xs font-medium text-ink-3">
                    {command.group}
                  </p>
                )}
                {/* biome-ignore lint/a11y/useKeyWithClickEvents: the input above handles the keys */}
                <div
                  id={`${id}-${index}`}
                  data-index={index}
                  role="option"
                  tabIndex={-1}
                  aria-selected={index === at}
                  onMouseMove={() => setChosen(index)}
                  onClick={() => run(command)}
                  className={cx(
                    "flex h-8 cursor-default items-center gap-2.5 rounded-md px-2.5",
                    index === at && "bg-hover",
                  )}
                >
                  <Icon name={command.icon} size={14} className="shrink-0 text-ink-3" />
                  <span className="truncate">{command.label}</span>
                  {command.note && <span className="truncate text-ink-3">{command.note}</span>}
                  <span className="ml-auto flex gap-1">
                    {command.keys?.split(" ").map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </span>
                </div>
              </div>
            ))}
          </div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

function useCommands(): Command[] {
  const navigate = useNavigate();
  const { data: instance } = useQuery(instanceQuery);
  const { data: models = [] } = useQuery(modelsQuery);
  const { data: keys = [] } = useQuery(keysQuery);
  const { data: projects = [] } = useQuery(projectsQuery);
  return useMemo(() => {
    const page = "Go to";
    const action = "Do";
    const commands: Command[] = [
      ...GROUPS.flatMap((group) => group.pages as readonly Page[]).map((one) => ({
        id: one.to,
        label: one.label,
        group: page,
        icon: one.icon,
        keys: one.keys,
        run: () => navigate({ to: one.to }),
      })),
      {
        id: "errors",
        label: "Calls that failed",
        group: page,
        icon: "warn",
        run: () => navigate({ to: "/traces", search: { failed: true } }),
      },
      {
        id: "live",
        label: "Live tail",
        group: page,
        icon: "pulse",
        run: () => navigate({ to: "/traces", search: { live: true } }),
      },
      {
        id: "create",
        label: "Create a key",
        group: action,
        icon: "plus",
        run: () => navigate({ to: "/keys", search: { create: true } }),
      },
      {
        id: "connect",
        label: "Connect a provider",
        group: action,
        icon: "server",
        run: () => navigate({ to: "/providers", search: { connect: "" } }),
      },
      {
        id: "alias",
        label: "Define an alias",
        group: action,
        icon: "models",
        run: () => navigate({ to: "/routes", search: { fresh: true } }),
      },
      {
        id: "prompt",
        label: "Write a prompt",
        group: action,
        icon: "prompts",
        run: () => navigate({ to: "/prompts", search: { compose: true } }),
      },
      {
        id: "dataset",
        label: "Make a data set",
        group: action,
        icon: "grid",
        run: () => navigate({ to: "/datasets", search: { create: true } }),
      },
      {
        id: "queue",
        label: "Make an annotation queue",
        group: action,
        icon: "tag",
        run: () => navigate({ to: "/annotation", search: { create: true } }),
      },
      {
        id: "run",
        label: "Start an evaluation",
        group: action,
        icon: "pulse",
        run: () => navigate({ to: "/evals", search: { begin: true } }),
      },
      {
        id: "experiment",
        label: "Define an experiment",
        group: action,
        icon: "split",
        run: () => navigate({ to: "/experiments", search: { form: "new" } }),
      },
      {
        id: "size",
        label: "Find a cheaper model that passes",
        group: action,
        icon: "filter",
        run: () => navigate({ to: "/rightsize", search: { begin: true } }),
      },
      {
        id: "monitor",
        label: "Make a monitor",
        group: action,
        icon: "bell",
        run: () => navigate({ to: "/monitors", search: { form: "new" } }),
      },
      {
        id: "invite",
        label: "Invite somebody",
        group: action,
        icon: "people",
        run: () => navigate({ to: "/people", search: { open: "invite" } }),
      },
      {
        id: "ask",
        label: "Ask for a model or a budget",
        group: action,
        icon: "inbox",
        run: () => navigate({ to: "/requests", search: { ask: true } }),
      },
      {
        id: "theme",
        label: "Switch dark and light",
        group: action,
        icon: "moon",
        keys: "T",
        run: toggleTheme,
      },
      {
        id: "link",
        label: "Copy a link to this view",
        group: action,
        icon: "copy",
        run: () => copied(location.href, "Link copied."),
      },
      { id: "out", label: "Sign out", group: action, icon: "out", run: () => void signOut() },
    ];
    if (instance) {
      const { gateway_url } = instance;
      commands.push({
        id: "gateway",
        label: "Copy the gateway's URL",
        note: gateway_url,
        group: action,
        icon: "copy",
        run: () => copied(gateway_url, "Gateway URL copied."),
      });
    }
    for (const model of models) {
      if (model.kind === "chat") {
        commands.push({
          id: `try-${model.name}`,
          label: `Try ${model.name}`,
          note: "playground",
          group: "Models",
          icon: "playground",
          run: () => navigate({ to: "/playground", search: { model: model.name } }),
        });
      }
      commands.push({
        id: `route-${model.name}`,
        label: `Route of ${model.name}`,
        group: "Models",
        icon: "routes",
        run: () => navigate({ to: "/routes", search: { route: model.name } }),
      });
      commands.push({
        id: `calls-${model.name}`,
        label: `Traces of ${model.name}`,
        group: "Models",
        icon: "traces",
        run: () => navigate({ to: "/traces", search: { requested_model: model.name } }),
      });
    }
    for (const key of keys) {
      commands.push({
        id: key.id,
        label: `Traces of key ${key.name}`,
        note: key.prefix,
        group: "Keys",
        icon: "keys",
        run: () => navigate({ to: "/traces", search: { key_id: key.id } }),
      });
    }
    for (const project of projects) {
      commands.push({
        id: `project-${project.id}`,
        label: `Show only project ${project.name}`,
        group: "Projects",
        icon: "filter",
        run: () => navigate({ to: "/overview", search: { project: project.name } }),
      });
    }
    return commands;
  }, [navigate, instance, models, keys, projects]);
}

function copied(text: string, done: string): void {
  copyText(text).then((ok) =>
    toast(ok ? { text: done } : { tone: "bad", text: "The browser refused to copy." }),
  );
}

/** Hex of 4 or more digits looks like the start of a trace id. */
function useTraceCommands(typed: string): Command[] {
  const navigate = useNavigate();
  const prefix = typed.trim().toLowerCase().replaceAll("-", "");
  const plausible = /^[0-9a-f]{4,32}$/.test(prefix);
  const { data } = useQuery({
    queryKey: ["trace-prefix", prefix],
    queryFn: ({ signal }) =>
      call<TracePage>("/api/v1/traces", { query: { trace_prefix: prefix, limit: 5 }, signal }),
    enabled: plausible,
  });
  return useMemo(() => {
    if (!plausible) return [];
    const open = (traceId: string) => navigate({ to: "/traces/$traceId", params: { traceId } });
    const found: Command[] = (data?.items ?? []).map((row) => ({
      id: row.trace_id,
      label: row.trace_id,
      note: `${row.root.model || row.root.requested_model} · ${moment(row.root.start_ms)}`,
      group: "Traces",
      icon: "traces",
      run: () => open(row.trace_id),
    }));
    if (prefix.length === 32 && found.length === 0) {
      found.push({
        id: prefix,
        label: `Open trace ${prefix}`,
        group: "Traces",
        icon: "traces",
        run: () => open(prefix),
      });
    }
    return found;
  }, [plausible, prefix, data, navigate]);
}
