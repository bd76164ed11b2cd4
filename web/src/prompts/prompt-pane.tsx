// One prompt: its head, and what can be done with it.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useMay } from "../api/may";
import type { PromptDetail } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Badge } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { CopyText } from "../ui/copy";
import { Failure, Lines } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { CommentsView } from "./comments-view";
import { EditView } from "./edit-view";
import { LabelsView } from "./labels-view";
import { promptQuery } from "./queries";
import { UsageView } from "./usage-view";
import { VersionsView } from "./versions-view";

const SettingsDialog = lazy(() => import("./settings-dialog"));

export interface Open {
  detail: PromptDetail;
  project: string;
  /** Whether the signed-in person may change it. */
  editor: boolean;
}

export function PromptPane() {
  const { prompt } = useParams({ from: "/frame/prompts/$prompt" });
  const { project = "default" } = useSearch({ from: "/frame/prompts/$prompt" });
  const { data, error, refetch } = useQuery(promptQuery(prompt, project));
  const may = useMay();
  if (error && !data)
    return (
      <div className="flex-1">
        <Failure error={error} onRetry={refetch} className="m-4" />
      </div>
    );
  if (!data) return <Lines className="flex-1" />;
  return <Pane detail={data} project={project} editor={may.project("editor", project)} />;
}

function Pane({ detail, project, editor }: Open) {
  const search = useSearch({ from: "/frame/prompts/$prompt" });
  const navigate = useNavigate();
  const open = { detail, project, editor };
  const close = () =>
    navigate({
      to: "/prompts",
      search: (old) => ({ ...old, prompt_part: undefined, at: undefined }),
    });
  useShortcuts([{ keys: "Escape", label: "Close the prompt", group: "Prompts", run: close }]);
  const waiting = detail.proposals.length;
  const tabs = [
    { id: "edit", label: "Edit", content: <EditView key={detail.prompt.id} {...open} /> },
    {
      id: "versions",
      label: `Versions (${detail.prompt.latest})`,
      content: <VersionsView {...open} />,
    },
    {
      id: "labels",
      label: waiting > 0 ? `Labels (${waiting} to approve)` : "Labels",
      content: <LabelsView {...open} />,
    },
    { id: "usage", label: "Usage", content: <UsageView {...open} /> },
    { id: "comments", label: "Comments", content: <CommentsView {...open} /> },
  ];
  return (
    <article
      aria-label={`Prompt ${detail.prompt.name}`}
      className="flex min-h-0 min-w-0 flex-1 flex-col overflow-y-auto"
    >
      <Head {...open} onClose={close} />
      <Tabs
        label="Parts of the prompt"
        tabs={tabs}
        value={search.prompt_part ?? "edit"}
        onChange={(part) =>
          navigate({
            to: ".",
            search: (old) => ({ ...old, prompt_part: part as typeof search.prompt_part }),
            replace: true,
          })
        }
      />
    </article>
  );
}

function Head({ onClose, ...open }: Open & { onClose: () => void }) {
  const { detail, project, editor } = open;
  const [settings, setSettings] = useState(false);
  const { prompt } = detail;
  const production = prompt.labels.some((one) => one.label === "production");
  return (
    <header className="flex flex-wrap items-start gap-x-3 gap-y-1 border-b px-4 py-2">
      <div className="min-w-0 flex-1">
        <h2 className="flex flex-wrap items-center gap-2 font-semibold">
          {prompt.folder && <span className="font-normal text-ink-3">{prompt.folder} /</span>}
          <CopyText text={prompt.name} />
          <Badge>{prompt.kind}</Badge>
          {prompt.archived && <Badge tone="warn">archived</Badge>}
          {prompt.tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
        </h2>
        {prompt.description && <p className="text-ink-2">{prompt.description}</p>}
        <p className="mt-0.5 flex flex-wrap gap-1.5">
          {prompt.labels.map((one) => (
            <Badge
              key={one.label}
              tone={one.label === "production" ? "ok" : "accent"}
              title={one.protected ? "protected: somebody else approves each move" : undefined}
            >
              {one.label} v{one.version}
              {one.protected ? ", protected" : ""}
            </Badge>
          ))}
          {!production && (
            <span className="text-xs text-ink-3">
              no label production yet: the gateway serves it by number or <code>latest</code>
            </span>
          )}
        </p>
      </div>
      <Link
        to="/playground"
        search={{
          prompt: `${prompt.name}@${production ? "production" : "latest"}`,
          project,
          model: undefined,
        }}
        className={buttonClass()}
      >
        Open in playground
      </Link>
      <Button disabled={!editor} onClick={() => setSettings(true)}>
        Settings
      </Button>
      {settings && (
        <Suspense>
          <SettingsDialog {...open} onClose={() => setSettings(false)} />
        </Suspense>
      )}
      <Button
        tone="ghost"
        icon="close"
        aria-label="Close the prompt"
        title="Close (Esc)"
        onClick={onClose}
      />
    </header>
  );
}
