// A call's bodies: as a conversation to read, or as the text that went over the wire.
import { lazy, memo, Suspense, useMemo, useState } from "react";
import { type Answer, type Message, parseJson, pretty, readAnswer, readRequest } from "../api/chat";
import { looksLikeEvents, readEvents } from "../api/sse";
import type { Payload, Span } from "../api/types";
import { Badge } from "../ui/badge";
import { Json } from "../ui/code";
import { CopyButton } from "../ui/copy";
import { cx } from "../ui/cx";
import { bytes, count } from "../ui/format";
import { type Media, mediaByMessage } from "./media";
import { mediaOfAnswer } from "./streamed-media";

const MediaGallery = lazy(() => import("./media-gallery"));
const NO_MEDIA: readonly Media[] = [];

export function ConversationView({ payload, span }: { payload: Payload; span: Span }) {
  const asked = useMemo(() => readRequest(payload.request ?? ""), [payload.request]);
  const answer = useMemo(
    () => (payload.response ? readAnswer(payload.response) : null),
    [payload.response],
  );
  const sent = useMemo(() => mediaByMessage(parseJson(payload.request ?? "")), [payload.request]);
  const got = useMemo(
    () => mediaOfAnswer(payload.response ?? "", payload.request ?? ""),
    [payload.response, payload.request],
  );
  return (
    <div className="pb-8">
      {asked.map((message, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages of a finished call never move
        <MessageView key={index} message={message} media={sent[index]} />
      ))}
      {asked.length === 0 && <Gallery media={sent.flat()} />}
      {asked.length === 0 && <Plain text={payload.request} what="request" />}
      {answer?.choices.map((message, index) => (
        <MessageView
          // biome-ignore lint/suspicious/noArrayIndexKey: as above
          key={index}
          message={message}
          media={got[index]}
          answer
          note={[answer.choices.length > 1 ? `choice ${index + 1}` : "", answer.finish]
            .filter(Boolean)
            .join(" · ")}
        />
      ))}
      {answer?.choices.length === 0 && <Gallery media={got.flat()} />}
      {answer?.embedding && <EmbeddingView embedding={answer.embedding} />}
      {answer?.error && (
        <section className="border-b px-4 py-3">
          <Speaker name="error" />
          <p className="break-words text-bad">{answer.error.message}</p>
        </section>
      )}
      {answer && !answer.complete && !answer.error && (
        <p className="px-4 py-2 text-warn">
          The stream ended before the model said that it was done.
        </p>
      )}
      {!answer && payload.response && <Plain text={payload.response} what="response" />}
      {!payload.response && span.status !== "ok" && (
        <p className="px-4 py-3 text-ink-2">
          There is no answer: {span.error_message || span.error || span.status}
        </p>
      )}
    </div>
  );
}

function Gallery({ media }: { media: readonly Media[] }) {
  if (media.length === 0) return null;
  return (
    <section className="border-b px-4 py-3">
      <Suspense fallback={null}>
        <MediaGallery media={media} />
      </Suspense>
    </section>
  );
}

function Plain({ text, what }: { text: string | null; what: string }) {
  if (!text) return <p className="px-4 py-3 text-ink-2">The {what} has no body.</p>;
  return <pre className="px-4 py-3 font-mono text-xs break-words whitespace-pre-wrap">{text}</pre>;
}

const ROLE_TONE: Record<string, string> = {
  assistant: "text-accent",
  user: "text-ink",
  error: "text-bad",
};

function Speaker({ name, note }: { name: string; note?: string }) {
  return (
    <h3 className="mb-1 flex items-center gap-2 text-xs">
      <span className={cx("font-semibold capitalize", ROLE_TONE[name] ?? "text-ink-2")}>
        {name}
      </span>
      {note && <span className="text-ink-3">{note}</span>}
    </h3>
  );
}

interface MessageProps {
  message: Message;
  media?: readonly Media[];
  answer?: boolean;
  note?: string;
}

const FOLD = 3_000;

const MessageView = memo(function MessageView({
  message,
  media = NO_MEDIA,
  answer,
  note,
}: MessageProps) {
  const [unfolded, setUnfolded] = useState(false);
  const long = message.text.length > FOLD && !unfolded;
  const text = long ? message.text.slice(0, FOLD) : message.text;
  return (
    <section className={cx("group relative border-b px-4 py-3", answer && "bg-panel")}>
      <Speaker name={message.role} note={[note, message.toolCallId].filter(Boolean).join(" · ")} />
      {message.text && (
        <CopyButton
          text={message.text}
          className="absolute top-2 right-3 opacity-0 group-hover:opacity-100 focus-visible:opacity-100"
        />
      )}
      {message.reasoning && (
        <details className="mb-2 text-ink-2">
          <summary className="text-xs">Reasoning</summary>
          <p className="mt-1 border-l-2 pl-3 break-words whitespace-pre-wrap">
            {message.reasoning}
          </p>
        </details>
      )}
      {text && (
        <p className="max-w-[86ch] break-words whitespace-pre-wrap">
          {text}
          {long && "…"}
        </p>
      )}
      {long && (
        <button
          type="button"
          className="mt-1 text-xs text-accent underline underline-offset-2"
          onClick={() => setUnfolded(true)}
        >
          Show all {count(message.text.length)} characters
        </button>
      )}
      {media.length > 0 ? (
        <Suspense fallback={null}>
          <MediaGallery media={media} />
        </Suspense>
      ) : (
        message.media.map((kind, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts never move
          <Badge key={index}>{kind}</Badge>
        ))
      )}
      {message.toolCalls.map((call, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: calls never move
        <div key={index} className="mt-1.5 rounded-md border bg-page">
          <p className="border-b px-2.5 py-1 font-mono text-xs">
            <b className="font-semibold">{call.name}</b>{" "}
            <span className="text-ink-3">{call.id}</span>
          </p>
          <pre className="px-2.5 py-1.5 font-mono text-xs break-words whitespace-pre-wrap">
            <Json text={pretty(call.arguments)} />
          </pre>
        </div>
      ))}
      {!message.text &&
        message.toolCalls.length === 0 &&
        message.media.length === 0 &&
        media.length === 0 &&
        !message.reasoning && <p className="text-ink-3">(empty)</p>}
    </section>
  );
});

function EmbeddingView({ embedding }: { embedding: NonNullable<Answer["embedding"]> }) {
  const { count: vectors, dimensions, sample } = embedding;
  return (
    <section className="border-b bg-panel px-4 py-3">
      <Speaker name="embedding" />
      <p>
        {count(vectors)} {vectors === 1 ? "vector" : "vectors"} of {count(dimensions)} dimensions
      </p>
      {sample.length > 0 && (
        <p className="mt-1 font-mono text-xs text-ink-2">
          [{sample.map((value) => value.toFixed(4)).join(", ")}
          {dimensions > sample.length && ", …"}]
        </p>
      )}
    </section>
  );
}

type Shape = "pretty" | "raw";

/** A stream put together as the whole answer that it amounts to. */
function joined(text: string): string {
  const answer = readAnswer(text);
  if (!answer) return text;
  const chunks = readEvents(text).map(parseJson).filter(Boolean);
  const usage = chunks.findLast((chunk) => chunk.usage)?.usage;
  const { choices: _, usage: __, object, ...head } = chunks[0] ?? {};
  const choices = answer.choices.map((message, index) => ({
    index,
    message: {
      role: message.role,
      content: message.text,
      ...(message.reasoning && { reasoning_content: message.reasoning }),
      ...(message.toolCalls.length > 0 && { tool_calls: message.toolCalls }),
    },
    finish_reason: answer.finish || null,
  }));
  const whole = {
    ...head,
    ...(object && { object: String(object).replace(/\.chunk$/, "") }),
    choices,
    ...(usage && { usage }),
    ...(answer.error && { error: answer.error }),
  };
  return JSON.stringify(whole, null, 2);
}

export function RawView({ text, what }: { text: string | null; what: "request" | "response" }) {
  const events = looksLikeEvents(text ?? "");
  const [shape, setShape] = useState<Shape>("pretty");
  const shown = useMemo(() => {
    if (!text || shape === "raw") return text ?? "";
    return events ? joined(text) : pretty(text);
  }, [text, shape, events]);
  if (!text) return <p className="px-4 py-4 text-ink-2">The {what} has no body.</p>;
  return (
    <div className="pb-8">
      <div className="flex h-9 items-center gap-1 border-b px-4 text-xs text-ink-3">
        {bytes(new TextEncoder().encode(text).length)}
        {events && " · streamed"}
        <span className="mr-auto" />
        {(["pretty", "raw"] as const).map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={shape === one}
            onClick={() => setShape(one)}
            className={cx(
              "h-6 rounded-md px-2",
              shape === one ? "bg-mute-wash font-medium text-ink" : "text-ink-2 hover:text-ink",
            )}
          >
            {one === "pretty" ? (events ? "Assembled" : "Pretty") : "Raw"}
          </button>
        ))}
        <CopyButton text={shown} label={`Copy the ${what}`} />
      </div>
      <pre className="px-4 py-3 font-mono text-xs leading-[18px] break-words whitespace-pre-wrap">
        {shape === "raw" ? shown : <Json text={shown} />}
      </pre>
    </div>
  );
}
