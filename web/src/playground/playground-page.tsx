import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { readAnswer } from "../api/chat";
import { instanceQuery, modelsQuery, payloadQuery, traceQuery } from "../api/queries";
import { stringifySearch } from "../frame/search";
import { useShortcuts } from "../frame/shortcuts";
import { Button } from "../ui/button";
import { copyText } from "../ui/copy";
import { TextArea } from "../ui/field";
import { Empty, Failure, Lines } from "../ui/states";
import { toast, toastError } from "../ui/toast";
import { clear, load, type Run, send, stop, useChat } from "./chat-store";
import { NoModels } from "./no-models";
import { SettingsPanel } from "./settings-panel";
import { TurnView } from "./turn-view";
import { fromRequest, type Settings } from "./turns";

export function PlaygroundPage() {
  const search = useSearch({ from: "/frame/playground" });
  const { data: models, error, refetch } = useQuery(modelsQuery);
  const { data: instance } = useQuery(instanceQuery);
  if (error && !models) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!models) return <Lines rows={8} />;
  const chats = models.filter((model) => model.kind === "chat");
  if (chats.length === 0) return <NoModels />;
  const usual = chats.find((model) => model.name === instance?.default_model) ?? chats[0];
  const { trace: _, span: __, ...settings } = { ...search, model: search.model ?? usual?.name };
  return <Playground models={chats} settings={settings} />;
}

function Playground({
  models,
  settings,
}: {
  models: Parameters<typeof SettingsPanel>[0]["models"];
  settings: Run;
}) {
  const navigate = useNavigate();
  const chat = useChat();
  const loading = useTraceLoading();
  const change = (next: Settings) =>
    navigate({ to: "/playground", search: (old) => ({ ...old, ...next }), replace: true });
  const startOver = () => {
    clear();
    navigate({
      to: "/playground",
      search: (old) => ({ ...old, trace: undefined, span: undefined }),
      replace: true,
    });
  };
  const share = () => {
    const trace = chat.turns.findLast((turn) => turn.result?.traceId)?.result?.traceId;
    const link = `${location.origin}/playground${stringifySearch({ ...settings, ...(trace && { trace }) })}`;
    copyText(link).then((done) =>
      toast(
        done
          ? { text: "Link to these settings and this conversation copied." }
          : { tone: "bad", text: "The browser refused to copy." },
      ),
    );
  };
  useShortcuts([{ keys: "n", label: "New conversation", group: "Playground", run: startOver }]);
  return (
    <div className="flex h-full min-h-0">
      <SettingsPanel models={models} settings={settings} extra={chat.extra} onChange={change} />
      <section aria-label="Conversation" className="flex min-w-0 flex-1 flex-col">
        <div className="flex h-10 shrink-0 items-center gap-1 border-b px-4">
          <span className="mr-auto truncate text-ink-3">
            {chat.loadedFrom ? `Loaded from trace ${chat.loadedFrom.slice(0, 8)}` : ""}
          </span>
          <Button tone="ghost" icon="copy" onClick={share}>
            Copy link
          </Button>
          <Button tone="ghost" icon="plus" onClick={startOver} disabled={chat.turns.length === 0}>
            New conversation
          </Button>
        </div>
        {loading ?? <Turns settings={settings} />}
        <Composer settings={settings} running={chat.running} />
      </section>
    </div>
  );
}

/** Loads the conversation that the URL names, once. Returns what to show until it is there. */
function useTraceLoading() {
  const { trace = "", span } = useSearch({ from: "/frame/playground" });
  const navigate = useNavigate();
  const chat = useChat();
  const from = trace && `${trace}${span ?? ""}`;
  const wanted = Boolean(trace) && chat.loadedFrom !== from;
  const traced = useQuery({ ...traceQuery(trace), enabled: wanted });
  const root = traced.data?.spans.find((one) => (span ? one.span_id === span : one.is_root));
  const payload = useQuery({
    ...payloadQuery(trace, root?.span_id ?? ""),
    enabled: wanted && Boolean(root),
  });
  useEffect(() => {
    if (!wanted || !payload.data) return;
    const loaded = fromRequest(payload.data.request ?? "");
    if (!loaded) {
      toastError(new Error("This trace holds no chat request that could be loaded."));
      load({ settings: {}, turns: [], extra: {} }, from);
      return;
    }
    const answer = payload.data.response
      ? readAnswer(payload.data.response)?.choices[0]
      : undefined;
    if (answer?.text)
      loaded.turns.push({
        role: "assistant",
        text: answer.text,
        result: { state: "done", traceId: trace },
      });
    load(loaded, from);
    navigate({ to: "/playground", search: { ...loaded.settings, trace, span }, replace: true });
  }, [wanted, payload.data, from, trace, span, navigate]);
  const error = traced.error ?? payload.error;
  if (wanted && error) return <Failure error={error} onRetry={traced.refetch} className="m-4" />;
  return wanted ? <Lines rows={6} /> : null;
}

function Turns({ settings }: { settings: Run }) {
  const chat = useChat();
  const scroller = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new piece of text may have to scroll
  useEffect(() => {
    const element = scroller.current;
    if (element && stuck.current) element.scrollTop = element.scrollHeight;
  }, [chat.turns]);
  return (
    <div
      ref={scroller}
      className="min-h-0 flex-1 overflow-y-auto"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        stuck.current = scrollHeight - scrollTop - clientHeight < 40;
      }}
    >
      {chat.turns.length === 0 ? (
        <Empty title="Ask a model something" className="pt-16">
          <p>
            Every run goes through the gateway like your applications' calls do: it is routed,
            priced and recorded, and each answer links to its trace. To debug a call of an
            application, open its trace and choose “Open in playground”.
          </p>
        </Empty>
      ) : (
        chat.turns.map((turn) => (
          <TurnView key={turn.id} turn={turn} settings={settings} busy={chat.running} />
        ))
      )}
    </div>
  );
}

function Composer({ settings, running }: { settings: Run; running: boolean }) {
  const [text, setText] = useState("");
  const submit = () => {
    if (!text.trim() || running || !settings.model) return;
    send(settings, text.trim());
    setText("");
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && running) stop();
  };
  return (
    <div className="shrink-0 border-t px-6 py-3">
      <div className="mx-auto flex max-w-[820px] items-end gap-2">
        <TextArea
          data-search
          aria-label="Message"
          placeholder="Message. Enter sends, Shift+Enter starts a new line."
          rows={Math.min(8, Math.max(2, text.split("\n").length))}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKey}
          className="resize-none text-base"
        />
        {running ? (
          <Button icon="stop" onClick={stop} className="h-8 w-20">
            Stop
          </Button>
        ) : (
          <Button tone="primary" onClick={submit} disabled={!text.trim()} className="h-8 w-20">
            Send
          </Button>
        )}
      </div>
    </div>
  );
}
