// What users say about answers: satisfaction by prompt version, the stream of it, keys for browsers.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useShortcuts } from "../frame/shortcuts";
import { Segments } from "../ui/segments";
import { KeysView } from "./keys-view";
import type { FeedbackSearch, View } from "./search";
import { StreamView } from "./stream-view";
import { SummaryView } from "./summary-view";

export function FeedbackPage() {
  const search = useSearch({ from: "/frame/feedback" });
  const navigate = useNavigate();
  const open = (next: FeedbackSearch) =>
    navigate({ to: "/feedback", search: (old) => ({ ...old, ...next }) });
  const view: View = search.pane ?? "summary";
  const show = (value: View) => open({ pane: value === "summary" ? undefined : value });
  useShortcuts([
    { keys: "1", label: "Satisfaction", group: "Feedback", run: () => show("summary") },
    { keys: "2", label: "Stream", group: "Feedback", run: () => show("stream") },
    { keys: "3", label: "Public keys", group: "Feedback", run: () => show("keys") },
  ]);
  return (
    <div className="pb-10">
      <div className="px-4 py-2">
        <Segments<View>
          label="View"
          value={view}
          choices={[
            { value: "summary", label: "Satisfaction" },
            { value: "stream", label: "Stream" },
            { value: "keys", label: "Public keys" },
          ]}
          onChange={show}
        />
      </div>
      {view === "summary" && <SummaryView search={search} onOpen={open} />}
      {view === "stream" && <StreamView search={search} onOpen={open} />}
      {view === "keys" && <KeysView search={search} onOpen={open} />}
    </div>
  );
}
