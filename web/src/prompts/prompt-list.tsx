// The rows of the prompts' list: by folder, with why each was found, and below what means the like.
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { PromptSummary } from "../api/types";
import { Badge } from "../ui/badge";
import { cx } from "../ui/cx";
import { ago } from "../ui/format";
import { promptSearchQuery } from "./queries";
import { whyOf } from "./why";

const PAUSE_MS = 400;
const SHORTEST = 3;
/** The nearest are shown: every prompt is like what is sought, more or less. */
const NEAREST = 8;

interface Shown {
  open: string | undefined;
  narrow: boolean;
}

export function PromptList({ prompts, ...shown }: Shown & { prompts: readonly PromptSummary[] }) {
  const search = useSearch({ from: "/frame/prompts" });
  const wanted = (one: PromptSummary) =>
    (!search.folder ||
      one.folder === search.folder ||
      one.folder.startsWith(`${search.folder}/`)) &&
    (!search.label_tag || one.tags.includes(search.label_tag));
  const rows = prompts.filter(wanted);
  const folders = [...new Set(rows.map((one) => one.folder))].sort();
  return (
    <div className="min-h-0 flex-1 overflow-y-auto pb-8">
      {rows.length === 0 && <p className="px-4 py-6 text-ink-2">No prompt holds all of this.</p>}
      {folders.map((folder) => (
        <section key={folder} aria-label={folder || "No folder"}>
          {(folder || folders.length > 1) && <Heading>{folder || "no folder"}</Heading>}
          <ul>
            {rows
              .filter((one) => one.folder === folder)
              .map((one) => (
                <Row
                  key={one.id}
                  prompt={one}
                  why={search.find ? whyOf(one, search.find) : ""}
                  {...shown}
                />
              ))}
          </ul>
        </section>
      ))}
      <ByMeaning {...shown} wanted={wanted} known={prompts} />
    </div>
  );
}

interface Meant extends Shown {
  wanted: (one: PromptSummary) => boolean;
  known: readonly PromptSummary[];
}

/** What means nearly what is sought, once the typing pauses: an embedding is paid for. */
function ByMeaning({ wanted, known, ...shown }: Meant) {
  const { find = "", project } = useSearch({ from: "/frame/prompts" });
  const sought = find.trim();
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(sought), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [sought]);
  const asked = settled === sought && sought.length >= SHORTEST;
  const { data, error } = useQuery({
    ...promptSearchQuery({ q: sought, project, limit: 50 }),
    enabled: asked,
  });
  if (!asked) return null;
  if (error || data?.by === "words")
    return (
      <p role="status" className="px-4 py-2 text-xs text-ink-3">
        Found by words alone{data?.why ? `: ${data.why}` : ", a search by meaning did not answer"}.
      </p>
    );
  if (!data) return null;
  const ids = new Set(known.map((one) => one.id));
  const near = data.items
    .filter((hit) => !ids.has(hit.prompt.id) && wanted(hit.prompt))
    .slice(0, NEAREST);
  if (near.length === 0) return null;
  return (
    <section aria-label="By meaning">
      <Heading>without these words, nearest in meaning first ({data.model})</Heading>
      <ul>
        {near.map(({ prompt, likeness }) => (
          <Row
            key={prompt.id}
            prompt={prompt}
            why={`in meaning, likeness ${(likeness ?? 0).toFixed(2)}`}
            {...shown}
          />
        ))}
      </ul>
    </section>
  );
}

function Heading({ children }: { children: React.ReactNode }) {
  return <h2 className="border-b bg-panel px-4 py-1 text-xs font-medium text-ink-3">{children}</h2>;
}

function Row({ prompt, why, open, narrow }: Shown & { prompt: PromptSummary; why: string }) {
  return (
    <li className="border-b">
      <Link
        to="/prompts/$prompt"
        params={{ prompt: prompt.name }}
        search={(old) => ({ ...old, project: prompt.project, at: undefined })}
        className={cx(
          "-outline-offset-2 flex flex-wrap items-center gap-x-3 gap-y-0.5 px-4 py-2 hover:bg-hover",
          prompt.name === open && "bg-hover",
        )}
      >
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{prompt.name}</span>
          {why && <span className="block truncate text-xs text-ink-3">{why}</span>}
          {!narrow && prompt.description && (
            <span className="block truncate text-xs text-ink-2">{prompt.description}</span>
          )}
        </span>
        {!narrow &&
          prompt.tags.map((tag) => (
            <Badge key={tag} tone="mute">
              {tag}
            </Badge>
          ))}
        <span className="flex gap-1">
          {prompt.labels.slice(0, narrow ? 1 : 4).map((label) => (
            <Badge key={label.label} tone={label.label === "production" ? "ok" : "accent"}>
              {label.label} v{label.version}
            </Badge>
          ))}
        </span>
        {!narrow && (
          <span className="num w-36 text-right text-xs text-ink-3">
            v{prompt.latest}, {ago(prompt.changed_ms)}
          </span>
        )}
      </Link>
    </li>
  );
}
