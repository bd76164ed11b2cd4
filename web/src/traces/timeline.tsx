// The spans of a trace as a waterfall, drawn by hand in SVG. A failed attempt is a bar like any
// other, in red.
import { useState } from "react";
import type { Span, Trace } from "../api/types";
import { cx } from "../ui/cx";
import { duration, money } from "../ui/format";
import { arrange, niceTicks } from "./waterfall";

const ROW = 26;
const COLOR: Record<string, string> = {
  llm: "var(--series-1)",
  embedding: "var(--series-3)",
  retriever: "var(--series-4)",
  reranker: "var(--series-4)",
  tool: "var(--series-2)",
};

interface Props {
  trace: Trace;
  chosen: string;
  onChoose: (spanId: string) => void;
}

const FOLDED = 12;

export function Timeline({ trace, chosen, onChoose }: Props) {
  const [all, setAll] = useState(false);
  const { rows, start, end } = arrange(trace.spans);
  const span = Math.max(end - start, 0.001);
  const shown = all ? rows : rows.slice(0, FOLDED);
  const at = (ms: number) => `${((ms - start) / span) * 100}%`;
  return (
    <section aria-label="Timeline" className="shrink-0 border-b px-4 pt-2 pb-2">
      <div className="grid grid-cols-[minmax(110px,24%)_1fr_64px] gap-x-3 text-2xs text-ink-3">
        <span className="font-medium">Timeline</span>
        <svg className="h-4 w-full overflow-visible" aria-hidden="true">
          {niceTicks(span).map((tick) => (
            <text
              key={tick}
              x={`${(tick / span) * 100}%`}
              y={12}
              textAnchor={tick === 0 ? "start" : "middle"}
              fill="currentColor"
              fontSize={10}
            >
              {tick === 0 ? "0" : duration(tick)}
            </text>
          ))}
        </svg>
        <span />
      </div>
      <ul>
        {shown.map(({ span: one, depth }) => (
          <li key={one.span_id}>
            <button
              type="button"
              aria-pressed={one.span_id === chosen}
              aria-label={`${label(one)}, ${one.status}, ${duration(one.duration_ms)}`}
              onClick={() => onChoose(one.span_id)}
              className={cx(
                "-mx-2 grid w-[calc(100%+16px)] grid-cols-[minmax(110px,24%)_1fr_64px] items-center gap-x-3 rounded-md px-2 text-left",
                one.span_id === chosen && rows.length > 1 ? "bg-accent-wash" : "hover:bg-hover",
              )}
              style={{ height: ROW }}
            >
              <span className="truncate" style={{ paddingLeft: depth * 12 }}>
                {label(one)}
              </span>
              <Bar
                span={one}
                at={at}
                width={`${(one.duration_ms / span) * 100}%`}
                total={span}
                start={start}
              />
              <span className="num text-xs text-ink-2">{duration(one.duration_ms)}</span>
            </button>
          </li>
        ))}
      </ul>
      {rows.length > FOLDED && (
        <button
          type="button"
          className="mt-1 text-xs text-accent underline underline-offset-2"
          onClick={() => setAll(!all)}
        >
          {all ? "Show fewer" : `Show all ${rows.length} spans`}
        </button>
      )}
    </section>
  );
}

function label(span: Span): string {
  const served = span.provider || span.name;
  return span.attempt > 1 || span.status !== "ok"
    ? `${served} · attempt ${Math.max(1, span.attempt)}`
    : served;
}

interface BarProps {
  span: Span;
  at: (ms: number) => string;
  width: string;
  total: number;
  start: number;
}

function Bar({ span, at, width, total, start }: BarProps) {
  const color =
    span.status === "error"
      ? "var(--bad)"
      : span.status !== "ok"
        ? "var(--warn)"
        : (COLOR[span.kind] ?? "var(--ink-3)");
  const first = span.ttft_ms !== null && span.ttft_ms < span.duration_ms ? span.ttft_ms : null;
  const streamed = first === null ? 0 : ((span.duration_ms - first) / total) * 100;
  return (
    <svg className="h-3.5 w-full" aria-hidden="true">
      <title>{`${label(span)}: ${duration(span.duration_ms)}, ${money(span.cost_nano)}`}</title>
      <line x1="0" x2="100%" y1="7" y2="7" stroke="var(--line)" />
      <rect
        x={at(span.start_ms)}
        y={2}
        width={width}
        height={10}
        rx={2}
        fill={color}
        opacity={first === null ? 0.9 : 0.45}
        style={{ minWidth: 2 }}
      />
      {first !== null && (
        <rect
          x={`${((span.start_ms + first - start) / total) * 100}%`}
          y={2}
          width={`${Math.max(streamed, 0.3)}%`}
          height={10}
          rx={2}
          fill={color}
        />
      )}
      <rect x={at(span.start_ms)} y={2} width={2} height={10} fill={color} />
    </svg>
  );
}
