// What people said of sessions and of single turns: thumbs, other scores, comments.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type { Said, SessionFeedback } from "../api/types";
import { plural } from "../ui/format";

/** Feedback of some sessions; those that nobody said anything of are not in the answer. */
export const feedbackQuery = (sessions: readonly string[], project?: string) =>
  queryOptions({
    queryKey: ["session-feedback", sessions, project],
    queryFn: ({ signal }) => {
      const asked = new URLSearchParams(sessions.map((name) => ["session", name]));
      if (project) asked.set("project", project);
      return call<SessionFeedback[]>(`/api/v1/sessions/feedback?${asked}`, { signal });
    },
    enabled: sessions.length > 0,
  });

export function SaidLine({ said }: { said: Said | undefined }) {
  if (!said) return null;
  const { up, down, others, name, mean, comments, corrections } = said;
  const told = typeof mean === "number" ? `${name} ${Number(mean.toFixed(2))}` : "";
  const rest = [
    others && (told || plural(others, "score")),
    comments && plural(comments, "comment"),
    corrections && plural(corrections, "correction"),
  ].filter(Boolean);
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2 whitespace-nowrap">
      {up > 0 && <span className="text-ok">{up} up</span>}
      {down > 0 && <span className="text-bad">{down} down</span>}
      {rest.length > 0 && <span className="text-ink-2">{rest.join(" · ")}</span>}
    </span>
  );
}
