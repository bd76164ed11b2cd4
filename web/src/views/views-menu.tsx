// Saved views: looks at a page to come back to, kept for oneself or shared with who sees the project.
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import type { SavedView } from "../api/types";
import { Button } from "../ui/button";
import { Input } from "../ui/field";
import { Icon } from "../ui/icons";
import { Popover } from "../ui/popover";
import { Failure, Lines } from "../ui/states";
import { toast, toastError } from "../ui/toast";
import { type Looks, sameLook, savedLook } from "./look";

type Page = SavedView["page"];

const viewsQuery = queryOptions({
  queryKey: ["views"],
  queryFn: ({ signal }) => call<SavedView[]>("/api/v1/views", { signal }),
});

interface Props {
  page: Page;
  /** The page's search parameters: what a view keeps. */
  look: Looks;
  project?: string;
}

export function ViewsMenu(props: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      align="end"
      title="Saved views"
      className="w-80"
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button icon="chevron" title="Looks at this page that were saved">
          Views
        </Button>
      }
    >
      <Views {...props} onDone={() => setOpen(false)} />
    </Popover>
  );
}

function Views({ page, look, project, onDone }: Props & { onDone: () => void }) {
  const { data, error, refetch } = useQuery(viewsQuery);
  const views = data?.filter((view) => view.page === page) ?? [];
  return (
    <>
      {error && !data ? (
        <Failure error={error} onRetry={refetch} className="m-3" />
      ) : !data ? (
        <Lines rows={3} />
      ) : views.length === 0 ? (
        <p className="px-3 py-3 text-sm text-ink-2">
          None yet. Set filters and a time range, then save them here by a name.
        </p>
      ) : (
        <ul aria-label="Saved views" className="py-1">
          {views.map((view) => (
            <Row key={view.id} view={view} current={sameLook(view.search, look)} onDone={onDone} />
          ))}
        </ul>
      )}
      <Save page={page} look={look} project={project} taken={views} />
    </>
  );
}

interface RowProps {
  view: SavedView;
  current: boolean;
  onDone: () => void;
}

function Row({ view, current, onDone }: RowProps) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => call(`/api/v1/views/${view.id}`, { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: viewsQuery.queryKey }),
    onError: toastError,
  });
  const show = () => {
    navigate({ to: `/${view.page}`, search: { ...view.search } as object });
    onDone();
  };
  return (
    <li className="flex items-center gap-1 px-1">
      <button
        type="button"
        aria-current={current || undefined}
        onClick={show}
        className="flex h-8 min-w-0 flex-1 items-center gap-2 rounded-md px-2 text-left hover:bg-hover"
      >
        <span className="truncate">{view.name}</span>
        <span className="ml-auto shrink-0 text-xs text-ink-3">
          {current ? "shown" : view.own ? (view.shared ? "shared" : "") : `by ${view.owner_name}`}
        </span>
      </button>
      {view.own && (
        <button
          type="button"
          aria-label={`Forget the view ${view.name}`}
          disabled={remove.isPending}
          onClick={() => remove.mutate()}
          className="flex size-7 shrink-0 items-center justify-center rounded-md text-ink-3 hover:bg-hover hover:text-ink"
        >
          <Icon name="close" size={12} />
        </button>
      )}
    </li>
  );
}

interface SaveProps {
  page: Page;
  look: Looks;
  project?: string;
  taken: readonly SavedView[];
}

function Save({ page, look, project, taken }: SaveProps) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const replaces = taken.some((view) => view.own && view.name === name.trim());
  const save = useMutation({
    mutationFn: () =>
      call<SavedView>("/api/v1/views", {
        method: "POST",
        body: { page, name: name.trim(), search: savedLook(look), project, shared },
      }),
    onSuccess: (view) => {
      setName("");
      toast({ text: `The view ${view.name} is saved.` });
      return client.invalidateQueries({ queryKey: viewsQuery.queryKey });
    },
    onError: toastError,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) save.mutate();
  };
  return (
    <form onSubmit={submit} className="grid gap-2 border-t px-3 py-3">
      <div className="flex gap-2">
        <Input
          aria-label="Name of the view"
          placeholder="Save this look as"
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" tone="primary" disabled={!name.trim() || save.isPending}>
          {replaces ? "Replace" : "Save"}
        </Button>
      </div>
      <label className="flex items-center gap-2 text-xs text-ink-2">
        <input
          type="checkbox"
          checked={shared}
          onChange={(event) => setShared(event.target.checked)}
        />
        {project ? `Shared with who sees ${project}` : "Shared with everybody here"}
      </label>
    </form>
  );
}
