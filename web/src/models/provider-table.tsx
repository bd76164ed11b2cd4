import type { Provider } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { plural } from "../ui/format";

const ORIGIN: Record<Provider["origin"], string> = {
  engine: "run by stockpot",
  environment: "found in the environment",
  local: "found on this machine",
  console: "connected by hand",
};

interface Props {
  providers: readonly Provider[];
  onEdit: (name: string) => void;
  onRemove: (provider: Provider) => void;
}

const HEAD = "h-7 px-2 text-left text-xs font-medium text-ink-3 whitespace-nowrap";

export function ProviderTable({ providers, onEdit, onRemove }: Props) {
  return (
    <section aria-label="Providers" className="mt-8">
      <h2 className="px-4 pb-1 font-semibold">Providers</h2>
      <div className="relative overflow-x-auto">
        <table className="w-full min-w-[820px] border-collapse">
          <thead>
            <tr className="border-y">
              <th scope="col" className={`${HEAD} pl-4`}>
                Name
              </th>
              <th scope="col" className={HEAD}>
                Base URL
              </th>
              <th scope="col" className={HEAD}>
                Origin
              </th>
              <th scope="col" className={HEAD}>
                Secret
              </th>
              <th scope="col" className={`${HEAD} text-right`}>
                Models
              </th>
              <th scope="col" className="pr-4">
                <span className="sr-only">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {providers.map((provider) => (
              <tr key={provider.name} className="h-[34px] border-b hover:bg-hover">
                <td className="pr-2 pl-4 whitespace-nowrap">
                  <span className="font-medium">{provider.name}</span>{" "}
                  {provider.title.toLowerCase() !== provider.name.toLowerCase() && (
                    <span className="text-ink-3">{provider.title}</span>
                  )}{" "}
                  {!provider.routable && <Badge tone="warn">not routable</Badge>}
                  {provider.notice && (
                    <p className="text-xs whitespace-normal text-warn">{provider.notice}</p>
                  )}
                </td>
                <td className="max-w-[260px] truncate px-2 font-mono text-xs text-ink-2">
                  {provider.base_url}
                </td>
                <td className="px-2 whitespace-nowrap text-ink-2">{ORIGIN[provider.origin]}</td>
                <td className="px-2 font-mono text-xs whitespace-nowrap text-ink-2">
                  {secret(provider)}
                </td>
                <td className="num px-2" title={provider.models.slice(0, 30).join(", ")}>
                  {plural(provider.models.length, "model")}
                </td>
                <td className="pr-4">
                  {provider.origin === "console" && (
                    <span className="flex justify-end gap-1">
                      <Button
                        tone="ghost"
                        icon="edit"
                        aria-label={`Change ${provider.name}`}
                        title="Change"
                        onClick={() => onEdit(provider.name)}
                      />
                      <Button
                        tone="ghost"
                        icon="trash"
                        aria-label={`Disconnect ${provider.name}`}
                        title="Disconnect"
                        onClick={() => onRemove(provider)}
                      />
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function secret({ secret_hint, origin }: Provider): string {
  if (!secret_hint) return "none";
  return origin === "environment" ? secret_hint : `····${secret_hint.slice(-4)}`;
}
