// What there is to look at: the input as a conversation where it is one, the output, the expected.
import type { AnnotationTask } from "../api/types";
import { oneLine, pretty } from "../datasets/words";
import { CodeBlock } from "../ui/code";

export function Content({ task }: { task: AnnotationTask }) {
  const { input, output, expected, metadata } = task;
  const messages = (input as { messages?: unknown } | null)?.messages;
  return (
    <div className="flex flex-col gap-4">
      {Array.isArray(messages) ? (
        messages.map((message, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: messages of an item never move
          <Part key={index} title={String(message?.role ?? "message")}>
            {oneLineOrMore(message?.content)}
          </Part>
        ))
      ) : (
        <Part title="Input">{oneLineOrMore(input)}</Part>
      )}
      {output !== null && output !== undefined && (
        <Part title="Answer" strong>
          {oneLineOrMore(output)}
        </Part>
      )}
      {expected !== null && expected !== undefined && (
        <Part title="Expected" strong>
          {oneLineOrMore(expected)}
        </Part>
      )}
      {Object.keys(metadata).length > 0 && (
        <details>
          <summary className="text-xs text-ink-3">Metadata</summary>
          <CodeBlock text={pretty(metadata)} json className="mt-1 max-h-[240px]" />
        </details>
      )}
    </div>
  );
}

function oneLineOrMore(value: unknown): string {
  if (value === null || value === undefined) return "(nothing)";
  if (typeof value === "string") return value || "(empty)";
  if (Array.isArray(value)) return oneLine(value, 20_000);
  const entries = Object.entries(value as object);
  if (entries.length === 1 && typeof entries[0]?.[1] === "string") return entries[0][1];
  return pretty(value);
}

function Part({ title, strong, children }: { title: string; strong?: boolean; children: string }) {
  return (
    <section>
      <h3 className="mb-0.5 text-xs font-medium text-ink-2 capitalize">{title}</h3>
      <p
        className={
          strong
            ? "max-w-[86ch] rounded-lg border bg-panel px-3 py-2 break-words whitespace-pre-wrap"
            : "max-w-[86ch] break-words whitespace-pre-wrap"
        }
      >
        {children}
      </p>
    </section>
  );
}
