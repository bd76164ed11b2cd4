import { useQuery } from "@tanstack/react-query";
import { instanceQuery, modelsQuery } from "../api/queries";
import type { CreatedKey } from "../api/types";
import { Button } from "../ui/button";
import { useCopy } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Snippet } from "../ui/snippet";

/** The only time that a key's secret is seen, with a call that works as it stands. */
export function SecretDialog({ created, onClose }: { created: CreatedKey; onClose: () => void }) {
  const { data: instance } = useQuery(instanceQuery);
  const { data: models = [] } = useQuery(modelsQuery);
  const [copied, copy] = useCopy();
  const { record } = created;
  const allowed =
    record.models.length > 0 ? models.filter((model) => record.models.includes(model.name)) : [];
  const model = allowed.find((one) => one.kind === "chat") ?? allowed[0];
  return (
    <Dialog
      open
      dismissible={false}
      onClose={onClose}
      width={720}
      title={`${record.name} is ready`}
      description="This is the only time that the secret is shown. Store it where your application reads secrets."
      footer={
        <Button tone="primary" onClick={onClose}>
          I have stored it
        </Button>
      }
    >
      <div className="mb-4 flex items-center gap-2 rounded-lg border border-line-strong bg-panel p-2 pl-3">
        <code
          data-testid="secret"
          className="min-w-0 flex-1 font-mono text-xs break-all select-all"
        >
          {created.key}
        </code>
        <Button icon={copied ? "check" : "copy"} onClick={() => copy(created.key)}>
          {copied ? "Copied" : "Copy"}
        </Button>
      </div>
      {instance && (
        <Snippet
          gateway={instance.gateway_url}
          model={model?.name ?? record.models[0] ?? instance.default_model}
          embedding={model?.kind === "embedding"}
          secret={created.key}
        />
      )}
    </Dialog>
  );
}
