import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { modelsQuery } from "../api/queries";
import { NoModels } from "../playground/no-models";
import { buttonClass } from "../ui/button";
import { plural } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { ModelTable } from "./model-table";

export function ModelsPage() {
  const models = useQuery({ ...modelsQuery, refetchInterval: 5_000 });
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <p className="mr-auto truncate text-ink-2">
          {models.data && `${plural(models.data.length, "name")} that applications may ask for`}
        </p>
        <Link to="/routes" search={{ fresh: true }} className={buttonClass()}>
          Define an alias
        </Link>
        <Link to="/providers" search={{ connect: "" }} className={buttonClass("primary")}>
          Connect a provider
        </Link>
      </div>
      {models.error && !models.data ? (
        <Failure error={models.error} onRetry={models.refetch} className="m-4" />
      ) : !models.data ? (
        <Lines />
      ) : models.data.length === 0 ? (
        <NoModels kind="model" />
      ) : (
        <ModelTable models={models.data} />
      )}
    </div>
  );
}
