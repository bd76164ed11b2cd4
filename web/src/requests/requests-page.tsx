import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { keysQuery, requestsQuery } from "../api/queries";
import type { AccessRequest } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { State, type Tone } from "../ui/badge";
import { Button } from "../ui/button";
import { ago, fullTime } from "../ui/format";
import { Segments } from "../ui/segments";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { toast, toastError } from "../ui/toast";
import { AskDialog } from "./ask-dialog";
import { decider, wanted } from "./asking";
import { DecideDialog } from "./decide-dialog";
import type { RequestSearch, Shown } from "./search";

const TONE: Record<AccessRequest["state"], Tone> = {
  open: "accent",
  approved: "ok",
  denied: "bad",
  withdrawn: "mute",
};

export function RequestsPage() {
  const search = useSearch({ from: "/frame/requests" });
  const navigate = useNavigate();
  const may = useMay();
  const requests = useQuery(requestsQuery);
  const about = useAbout();
  const open = (next: RequestSearch) =>
    navigate({
      to: "/requests",
      search: (old) => ({ ...old, ask: undefined, key: undefined, request: undefined, ...next }),
    });
  useShortcuts([
    { keys: "n", label: "Ask for access", group: "Requests", run: () => open({ ask: true }) },
  ]);
  const { shown = "open" } = search;
  const ofProject = requests.data?.filter(
    (one) => !search.project || one.project === search.project,
  );
  const rows = ofProject?.filter(
    (one) => shown === "all" || (shown === "open") === (one.state === "open"),
  );
  const waiting = ofProject?.filter((one) => one.state === "open" && decider(one, may).may) ?? [];
  const asked = requests.data?.find((one) => one.id === search.request && one.state === "open");
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <Segments<Shown>
          label="Which requests"
          value={shown}
          choices={[
            { value: "open", label: "Open" },
            { value: "decided", label: "Decided" },
            { value: "all", label: "All" },
          ]}
          onChange={(value) => open({ shown: value === "open" ? undefined : value })}
        />
        <p className="mr-auto truncate pl-2 text-ink-2">
          {waiting.length > 0 &&
            (waiting.length === 1 ? "1 waits for you" : `${waiting.length} wait for you`)}
        </p>
        <Button tone="primary" icon="plus" onClick={() => open({ ask: true })}>
          Ask for access
        </Button>
      </div>
      {requests.error && !requests.data ? (
        <Failure error={requests.error} onRetry={requests.refetch} className="m-4" />
      ) : !rows ? (
        <Lines />
      ) : rows.length === 0 ? (
        <NoRequests shown={shown} any={Boolean(requests.data?.length)} />
      ) : (
        <Table
          label="Requests"
          min={700}
          head={[
            { title: "Asked for" },
            { title: "Reason" },
            { title: "Asked by" },
            { title: "State" },
            { title: "Actions", hidden: true },
          ]}
        >
          {rows.map((one) => (
            <Row
              key={one.id}
              request={one}
              about={about(one)}
              onDecide={() => open({ request: one.id })}
            />
          ))}
        </Table>
      )}
      {search.ask && <AskDialog keyId={search.key} onClose={() => open({})} />}
      {asked && decider(asked, may).may && (
        <DecideDialog request={asked} about={about(asked)} onClose={() => open({})} />
      )}
    </div>
  );
}

/** The key or the project that a request is about. */
function useAbout(): (request: AccessRequest) => string {
  const { data: keys = [] } = useQuery(keysQuery);
  return (request) =>
    request.key_id
      ? (keys.find((key) => key.id === request.key_id)?.name ?? request.key_id)
      : `the whole project`;
}

function NoRequests({ shown, any }: { shown: Shown; any: boolean }) {
  if (shown !== "open" && any) return <Empty title="Nothing was decided yet" />;
  return (
    <Empty title={any ? "Nothing is open" : "Nobody has asked for anything yet"}>
      <p>
        Who needs another model for a key, or more budget, asks here and says why. An admin of the
        project approves or denies; an approval changes the key at once and stands in the audit log.
      </p>
      {any && (
        <p className="mt-3">
          <Link
            to="/requests"
            search={(old) => ({ ...old, shown: "decided" as const })}
            className="text-accent hover:underline"
          >
            See what was decided
          </Link>
        </p>
      )}
    </Empty>
  );
}

interface RowProps {
  request: AccessRequest;
  about: string;
  onDecide: () => void;
}

function Row({ request, about, onDecide }: RowProps) {
  const may = useMay();
  const client = useQueryClient();
  const withdraw = useMutation({
    mutationFn: () =>
      call(`/api/v1/requests/${encodeURIComponent(request.id)}`, { method: "DELETE" }),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: ["requests"] });
      toast({ text: "Taken back." });
    },
    onError: toastError,
  });
  const decides = decider(request, may);
  return (
    <tr className="border-b align-top hover:bg-hover">
      <Cell className="py-2">
        <span className="block font-medium">{wanted(request)}</span>
        <span className="block text-xs text-ink-3">
          {request.key_id ? (
            <Link to="/keys" search={{ key: request.key_id }} className="hover:underline">
              {about}
            </Link>
          ) : (
            about
          )}
          {" · "}
          {request.project}
        </span>
      </Cell>
      <Cell className="max-w-[420px] py-2 break-words whitespace-pre-wrap">
        {request.reason}
        {request.note && (
          <span className="mt-1 block border-l-2 border-line-strong pl-2 text-ink-2">
            {request.note}
          </span>
        )}
      </Cell>
      <Cell className="max-w-[200px] py-2">
        <span className="block truncate">{request.asked_label}</span>
        <span className="block text-xs text-ink-3" title={fullTime(request.created_ms)}>
          {ago(request.created_ms)}
        </span>
      </Cell>
      <Cell className="py-2 whitespace-nowrap">
        <State tone={TONE[request.state]}>{request.state}</State>
        {request.decided_ms !== null && (
          <span
            className="block max-w-[170px] truncate text-xs text-ink-3"
            title={`${request.decided_by}, ${fullTime(request.decided_ms)}`}
          >
            {request.decided_by}, {ago(request.decided_ms)}
          </span>
        )}
      </Cell>
      <Cell className="py-1.5">
        <span className="flex items-center justify-end gap-2">
          {request.state === "open" && !decides.may && (
            <span className="text-xs text-ink-3">{decides.why}</span>
          )}
          {request.state === "open" && request.asked_by === may.userId && (
            <Button tone="ghost" busy={withdraw.isPending} onClick={() => withdraw.mutate()}>
              Take back
            </Button>
          )}
          {request.state === "open" && decides.may && (
            <Button onClick={onDecide} aria-label={`Decide: ${wanted(request)} for ${about}`}>
              Decide
            </Button>
          )}
        </span>
      </Cell>
    </tr>
  );
}
