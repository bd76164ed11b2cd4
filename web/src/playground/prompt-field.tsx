// Which prompt comes first in a column: the gateway fills it in with the variables.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { promptQuery, promptsQuery, promptVersionQuery } from "../prompts/queries";
import { NativeSelect } from "../ui/native-select";
import type { Settings } from "./board";
import { current, setVariables } from "./board-store";

interface Props {
  settings: Settings;
  project: string | undefined;
  onChange: (change: Settings) => void;
}

export default function PromptField({ settings, project = "default", onChange }: Props) {
  const { data: prompts } = useQuery(promptsQuery({ project }));
  const [name = "", ref = ""] = (settings.prompt ?? "").split("@");
  const { data: detail } = useQuery({ ...promptQuery(name, project), enabled: Boolean(name) });
  useVariables(name, ref, project);
  if (!prompts || (prompts.length === 0 && !name)) return null;
  const labels = detail?.prompt.labels ?? [];
  const refs = [
    ...labels.map(({ label, version }) => ({ value: label, label: `${label} (v${version})` })),
    { value: "latest", label: "latest" },
    ...(detail?.versions ?? []).map(({ number }) => ({
      value: String(number),
      label: `v${number}`,
    })),
  ];
  return (
    <div>
      <p className="mb-1 flex text-xs font-medium text-ink-2">
        <span className="mr-auto">Prompt</span>
        {name && (
          <Link
            to="/prompts/$prompt"
            params={{ prompt: name }}
            search={{ project }}
            className="font-normal text-accent underline"
          >
            Open
          </Link>
        )}
      </p>
      <div className="flex flex-wrap gap-1.5">
        <NativeSelect
          label="Prompt"
          value={name}
          choices={[
            { value: "", label: "none" },
            ...prompts.map((one) => ({ value: one.name, label: one.name })),
          ]}
          onChange={(chosen) => {
            const known = prompts.find((one) => one.name === chosen);
            const at = known?.labels.some((one) => one.label === "production")
              ? "production"
              : "latest";
            onChange({
              prompt: chosen ? `${chosen}@${at}` : undefined,
              ...(chosen && { system: undefined }),
            });
          }}
        />
        {name && (
          <NativeSelect
            label="Version of the prompt"
            value={ref || "production"}
            choices={refs}
            onChange={(at) => onChange({ prompt: `${name}@${at}` })}
          />
        )}
      </div>
    </div>
  );
}

/** A prompt's own variables get a field each, as soon as it is chosen. */
function useVariables(name: string, ref: string, project: string): void {
  const { data: detail } = useQuery({ ...promptQuery(name, project), enabled: Boolean(name) });
  const number = /^\d+$/.test(ref)
    ? Number(ref)
    : (detail?.prompt.labels.find((one) => one.label === (ref || "production"))?.version ??
      detail?.prompt.latest);
  const { data: version } = useQuery({
    ...promptVersionQuery(name, number ?? 0, project),
    enabled: Boolean(name && number),
  });
  useEffect(() => {
    const { variables } = current();
    const fresh = (version?.variables ?? []).filter((one) => variables[one] === undefined);
    if (fresh.length > 0) setVariables(Object.fromEntries(fresh.map((one) => [one, ""])));
  }, [version]);
}
