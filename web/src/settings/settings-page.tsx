import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { instanceQuery, settingsQuery, signInWaysQuery } from "../api/queries";
import { State } from "../ui/badge";
import { Button } from "../ui/button";
import { CopyText } from "../ui/copy";
import { Confirm } from "../ui/dialog";
import { FindInput } from "../ui/find-input";
import { ago, plural } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { toast } from "../ui/toast";
import { grouped } from "./groups";
import { Prices } from "./prices";
import { Section } from "./section";

export function SettingsPage() {
  const may = useMay();
  return (
    <div className="pb-10">
      <Running />
      {may.instance("viewer") && <Prices />}
      {may.instance("admin") ? (
        <>
          <Secrets />
          <Environment />
        </>
      ) : (
        <Empty title="The other settings are for an admin to see">
          Ask an admin of this instance what it runs with.
        </Empty>
      )}
    </div>
  );
}

function Running() {
  const instance = useQuery(instanceQuery);
  const { data: ways } = useQuery(signInWaysQuery);
  if (instance.error && !instance.data)
    return <Failure error={instance.error} onRetry={instance.refetch} className="m-4" />;
  if (!instance.data) return <Lines rows={5} />;
  const { data } = instance;
  const facts: [string, ReactNode][] = [
    ["Version", data.version],
    ["Revision", data.revision],
    ["Gateway", <CopyText key="g" text={data.gateway_url} />],
    ["Console", <CopyText key="c" text={data.console_url} />],
    ["Workers", `${data.workers} alive`],
    [
      "Sign-in",
      ways
        ? [
            ways.password ? "password" : "no password",
            ...ways.providers.map((provider) => provider.title),
          ].join(", ")
        : "…",
    ],
  ];
  return (
    <Section title="This instance">
      <dl className="grid grid-cols-[90px_1fr] gap-y-1 wide:grid-cols-[90px_1fr_90px_1fr]">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="-mx-1 -my-0.5 min-w-0 truncate px-1 py-0.5">{value}</dd>
          </div>
        ))}
      </dl>
      {data.notices.map((notice) => (
        <p key={notice} className="mt-2 rounded-md bg-warn-wash px-2 py-1 text-warn">
          {notice}
        </p>
      ))}
      <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1">
        {data.processes.map((process) => (
          <li key={process.name}>
            <State tone={process.state === "running" ? "ok" : "warn"}>{process.name}</State>
            <span className="text-ink-3">
              {" "}
              {process.state === "running"
                ? `up ${ago(process.since_ms).replace(/ ago$/, "")}`
                : process.state}
              {process.restarts > 0 && `, ${plural(process.restarts, "restart")}`}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Secrets() {
  const [asking, setAsking] = useState(false);
  const rotate = useMutation({
    mutationFn: () => call<{ resealed: number }>("/api/v1/secrets/rotate", { method: "POST" }),
    onSuccess: ({ resealed }) =>
      toast({ text: `Rotated. ${plural(resealed, "secret")} sealed anew.` }),
  });
  return (
    <Section title="Secrets">
      <div className="flex items-center gap-3">
        <p className="mr-auto text-ink-2">
          Vendors' secrets are sealed with a secret of this instance. Rotating makes a new one and
          seals them anew; nothing is interrupted.
        </p>
        <Button busy={rotate.isPending} onClick={() => setAsking(true)}>
          Rotate
        </Button>
      </div>
      <Confirm
        open={asking}
        title="Rotate the instance's secret?"
        action="Rotate"
        onConfirm={() => rotate.mutateAsync()}
        onClose={() => setAsking(false)}
      >
        Everything that is sealed is sealed anew. A backup made before opens with the older secret
        that it holds.
      </Confirm>
    </Section>
  );
}

function Environment() {
  const search = useSearch({ from: "/frame/settings" });
  const navigate = useNavigate();
  const settings = useQuery(settingsQuery);
  if (settings.error && !settings.data)
    return <Failure error={settings.error} onRetry={settings.refetch} className="m-4" />;
  if (!settings.data) return <Lines rows={10} />;
  const groups = grouped(settings.data, search.find ?? "");
  return (
    <section aria-label="Settings" className="pt-3">
      <div className="flex items-center gap-3 px-4 pb-2">
        <p className="mr-auto text-ink-2">
          Read at the start, so they are changed where the instance is started: by the variable, or
          under <code className="font-mono text-xs">[settings]</code> in{" "}
          <code className="font-mono text-xs">stockpot.toml</code>.
        </p>
        <FindInput
          aria-label="Find a setting"
          placeholder="Find a setting"
          className="!w-[180px]"
          value={search.find}
          onFind={(find) =>
            navigate({ to: "/settings", search: (old) => ({ ...old, find }), replace: true })
          }
        />
      </div>
      {groups.length === 0 && <p className="px-4 text-ink-2">No setting by that name.</p>}
      {groups.map((group) => (
        <div key={group.title} className="pb-4">
          <h3 className="px-4 pb-1 font-semibold">{group.title}</h3>
          <Table
            label={group.title}
            head={[{ title: "Setting" }, { title: "Value" }, { title: "What it is", wide: true }]}
          >
            {group.rows.map((row) => (
              <tr key={row.name} className={ROW}>
                <Cell className="w-[270px]">
                  <CopyText text={row.env} />
                </Cell>
                <Cell className="w-[340px] max-w-[340px] truncate" title={row.value}>
                  {row.value || <span className="text-ink-3">not set</span>}
                  {row.is_default && row.value && <span className="text-ink-3"> (default)</span>}
                </Cell>
                <Cell wide className="text-ink-2">
                  {row.doc}
                </Cell>
              </tr>
            ))}
          </Table>
        </div>
      ))}
    </section>
  );
}
