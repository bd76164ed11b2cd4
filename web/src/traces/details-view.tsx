import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { keysQuery } from "../api/queries";
import type { Span } from "../api/types";
import { CopyText } from "../ui/copy";
import { duration, fullTime, NONE } from "../ui/format";
import type { Conditions } from "./search";

/** A value that leads to all traces that share it. */
function Same({ search, children }: { search: Conditions; children: ReactNode }) {
  return (
    <Link to="/traces" search={search} className="text-accent hover:underline">
      {children}
    </Link>
  );
}

export function DetailsView({ span }: { span: Span }) {
  const { data: keys = [] } = useQuery(keysQuery);
  const key = keys.find((one) => one.id === span.key_id)?.name ?? span.key_id;
  const rows: [string, ReactNode][] = [
    ["Span", <CopyText key="id" text={span.span_id} />],
    ["Started", fullTime(span.start_ms)],
    [
      "Recorded",
      `${duration(Math.max(0, span.received_ms - span.start_ms - span.duration_ms))} after its end`,
    ],
    ["Project", `${span.project} / ${span.environment}`],
    ["Key", key && <Same search={{ key_id: span.key_id }}>{key}</Same>],
    ["Endpoint", span.endpoint && `${span.endpoint}${span.stream ? ", streamed" : ""}`],
    [
      "Asked for",
      span.requested_model && (
        <Same search={{ requested_model: span.requested_model }}>{span.requested_model}</Same>
      ),
    ],
    [
      "Served by",
      span.provider && (
        <Same search={{ provider: span.provider, model: span.model }}>
          {[span.provider, span.served_model || span.model].filter(Boolean).join(" / ")}
        </Same>
      ),
    ],
    ["Target", span.target],
    ["Status", span.status_code ? `${span.status}, HTTP ${span.status_code}` : span.status],
    [
      "Parameters",
      Object.entries(span.params)
        .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
        .join(", "),
    ],
    [
      "Prompt",
      span.prompt_name && (
        <Same search={{ prompt_name: span.prompt_name, prompt_version: span.prompt_version }}>
          {`${span.prompt_name}@${span.prompt_version}`}
        </Same>
      ),
    ],
    ["Tools", span.tools.join(", ")],
    ["Tool", span.tool && <Same search={{ tool: span.tool }}>{span.tool}</Same>],
    ["Agent", span.agent && <Same search={{ agent: span.agent }}>{span.agent}</Same>],
    ["Service", span.service && <Same search={{ service: span.service }}>{span.service}</Same>],
    ["Release", span.release && <Same search={{ release: span.release }}>{span.release}</Same>],
    [
      "Data set run",
      span.dataset_run && (
        <Same search={{ dataset_run: span.dataset_run }}>{span.dataset_run}</Same>
      ),
    ],
    ["Stands for", span.sample_weight !== 1 && `${span.sample_weight} like it, sampled away`],
    ["Finish reason", span.finish_reason],
    ["User", span.user && <Same search={{ user: span.user }}>{span.user}</Same>],
    ["Session", span.session && <Same search={{ session: span.session }}>{span.session}</Same>],
    [
      "Tags",
      span.tags.length > 0 && (
        <span className="flex flex-wrap gap-2">
          {span.tags.map((tag) => (
            <Same key={tag} search={{ tag }}>
              {tag}
            </Same>
          ))}
        </span>
      ),
    ],
    ["Payload", span.payload],
    ["Source", span.source],
    ["Configuration", `revision ${span.revision}`],
    ["Provenance", span.provenance && <CopyText text={span.provenance} />],
  ];
  return (
    <dl className="grid grid-cols-[120px_1fr] gap-y-1.5 px-4 py-3 pb-8">
      {rows.map(([label, value]) => (
        <div key={label} className="contents">
          <dt className="text-ink-3">{label}</dt>
          <dd className="min-w-0 break-words">
            {value || <span className="text-ink-3">{NONE}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
