// The list of prompts, by folder; the open one stands beside it.
import { useQuery } from "@tanstack/react-query";
import { Outlet, useMatch, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { instanceQuery } from "../api/frame-queries";
import { needs, useMay } from "../api/may";
import type { PromptSummary } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { cx } from "../ui/cx";
import { FindInput } from "../ui/find-input";
import { plural } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Empty, Failure, Lines } from "../ui/states";
import { PromptList } from "./prompt-list";
import { promptsQuery } from "./queries";

const NewPrompt = lazy(() => import("./new-prompt"));

export function PromptsPage() {
  const search = useSearch({ from: "/frame/prompts" });
  const open = useMatch({ from: "/frame/prompts/$prompt", shouldThrow: false });
  const navigate = useNavigate();
  const filter = { project: search.project, q: search.find };
  const { data, error, refetch } = useQuery(promptsQuery(filter));
  const change = (next: Partial<typeof search>) =>
    navigate({ to: ".", search: (old) => ({ ...old, ...next }), replace: true });
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Lines />;
  const untouched = !search.find && !search.folder && !search.label_tag;
  return (
    <div className="flex h-full min-h-0">
      <section
        aria-label="All prompts"
        className={cx(
          "flex min-h-0 flex-col",
          open ? "w-[300px] shrink-0 border-r max-wide:hidden" : "flex-1",
        )}
      >
        <Tools prompts={data} narrow={Boolean(open)} />
        {data.length === 0 && untouched ? (
          <NoPrompts />
        ) : (
          <PromptList prompts={data} open={open?.params.prompt} narrow={Boolean(open)} />
        )}
      </section>
      <Outlet />
      {search.compose && (
        <Suspense fallback={null}>
          <NewPrompt project={search.project} onClose={() => change({ compose: undefined })} />
        </Suspense>
      )}
    </div>
  );
}

function Tools({ prompts, narrow }: { prompts: readonly PromptSummary[]; narrow: boolean }) {
  const search = useSearch({ from: "/frame/prompts" });
  const navigate = useNavigate();
  const may = useMay().somewhere("editor");
  const change = (next: Partial<typeof search>) =>
    navigate({ to: ".", search: (old) => ({ ...old, ...next }), replace: true });
  const folders = [...new Set(prompts.map((one) => one.folder).filter(Boolean))].sort();
  useShortcuts([
    {
      keys: "n",
      label: "New prompt",
      group: "Prompts",
      run: () => may && change({ compose: true }),
    },
  ]);
  const tags = [...new Set(prompts.flatMap((one) => one.tags))].sort();
  return (
    <div className="flex flex-wrap items-center gap-2 border-b px-4 py-2">
      <FindInput
        aria-label="Find prompts"
        placeholder="Find by words or meaning"
        className={cx(narrow ? "!w-full" : "!w-64")}
        value={search.find}
        onFind={(find) => change({ find })}
      />
      {folders.length > 0 && (
        <NativeSelect
          label="Folder"
          value={search.folder ?? ""}
          choices={[
            { value: "", label: "All folders" },
            ...folders.map((folder) => ({ value: folder, label: folder })),
          ]}
          onChange={(folder) => change({ folder: folder || undefined })}
        />
      )}
      {tags.length > 0 && (
        <NativeSelect
          label="Tag"
          value={search.label_tag ?? ""}
          choices={[
            { value: "", label: "All tags" },
            ...tags.map((tag) => ({ value: tag, label: tag })),
          ]}
          onChange={(tag) => change({ label_tag: tag || undefined })}
        />
      )}
      {!narrow && <p className="text-ink-2">{plural(prompts.length, "prompt")}</p>}
      <Button
        tone={narrow ? "plain" : "primary"}
        icon="plus"
        className="ml-auto"
        disabled={!may}
        title={may ? undefined : needs("editor", "a project")}
        onClick={() => change({ compose: true })}
      >
        New prompt
      </Button>
    </div>
  );
}

const push = (model: string) => `mkdir -p prompts
cat > prompts/menu-description.md <<'END'
---
model: ${model}
---
Describe {{ dish }} in one sentence.
END
stockpot prompts push`;

const USE = `from stockpot import prompts

prompt = prompts.get("menu-description")   # the label production, cached
messages = prompt.render(dish="tomato soup").messages`;

const GATEWAY = `{"model": "prompt:menu-description@production",
 "prompt_variables": {"dish": "tomato soup"}}`;

function NoPrompts() {
  const { data: instance } = useQuery(instanceQuery);
  return (
    <Empty title="No prompts yet" className="overflow-y-auto">
      <p>
        A prompt is a template with typed variables. Its versions never change; labels such as
        <code className="mx-1 font-mono text-xs">production</code>
        say which one is live, and move without a deploy. Write one here, or push a folder of files
        that lives in git:
      </p>
      {instance && <CodeBlock text={push(instance.default_model)} className="mt-3" />}
      <p className="mt-4">Then use it through the gateway, with any client:</p>
      <CodeBlock text={GATEWAY} className="mt-3" />
      <p className="mt-4">Or in Python, where it is cached and survives an outage:</p>
      <CodeBlock text={USE} className="mt-3" />
    </Empty>
  );
}
