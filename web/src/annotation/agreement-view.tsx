// How far annotators agree beyond chance, drawn with its interval.
import { useQuery } from "@tanstack/react-query";
import type { AnnotationAgreement } from "../api/types";
import { IntervalBar } from "../feedback/interval-bar";
import { NONE } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { agreementQuery } from "./queries";
import type { QueueProps } from "./queue-view";

type Figure = AnnotationAgreement["questions"][number]["alpha"];

export function AgreementView({ queue }: QueueProps) {
  const found = useQuery(agreementQuery(queue.id));
  if (found.error && !found.data)
    return <Failure error={found.error} onRetry={found.refetch} className="m-4" />;
  if (!found.data) return <Lines />;
  const rated = found.data.questions.some((one) => one.items > 0);
  if (!rated)
    return (
      <Empty title="Nothing to compare yet">
        <p>
          {queue.annotators < 2
            ? "Each item of this queue is answered by one person. Agreement needs two: make a queue with more people for each item."
            : "As soon as two people have answered the same item, their agreement stands here."}
        </p>
      </Empty>
    );
  return (
    <div className="overflow-y-auto pb-8">
      {found.data.questions.map((question) => (
        <section key={question.name} className="px-4 pt-4">
          <h3 className="font-semibold">{question.name}</h3>
          <p className="mt-1 mb-2 flex flex-wrap items-center gap-x-4 text-ink-2">
            <span>
              Krippendorff's alpha <Told figure={question.alpha} />
            </span>
            <span>
              {question.agreed} of {question.items} items agreed
            </span>
            <span className="text-ink-3">{question.level}</span>
          </p>
          {question.pairs.length > 0 && (
            <Table
              label={`Pairs: ${question.name}`}
              min={480}
              head={[
                { title: "Two annotators" },
                { title: "Items", num: true },
                { title: "Agreed", num: true },
                { title: "Cohen's kappa" },
              ]}
            >
              {question.pairs.map((pair) => (
                <tr key={`${pair.one} ${pair.other}`} className={ROW}>
                  <Cell className="max-w-[360px] truncate">
                    {pair.one} and {pair.other}
                  </Cell>
                  <Cell num>{pair.items}</Cell>
                  <Cell num>{pair.agreed}</Cell>
                  <Cell>
                    <Told figure={pair.kappa} />
                  </Cell>
                </tr>
              ))}
            </Table>
          )}
        </section>
      ))}
      <p className="max-w-[86ch] px-4 pt-4 text-xs text-ink-3">
        1 is full agreement, 0 is what chance gives. The line is the 95 % interval: by resampled
        items for alpha, by the large-sample variance for kappa.
      </p>
    </div>
  );
}

function Told({ figure }: { figure: Figure }) {
  if (!figure || figure.value === null)
    return (
      <span className="text-ink-3" title="Only one value was ever given: chance agrees always">
        {NONE}
      </span>
    );
  const interval = {
    value: figure.value,
    low: figure.low,
    high: figure.high,
    n: figure.n,
    badges: [],
  };
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <b className="font-medium text-ink">{figure.value.toFixed(2)}</b>
      <IntervalBar interval={interval} kind="mean" least={-1} most={1} />
      {figure.low !== null && figure.high !== null && (
        <span className="text-xs text-ink-3">
          {figure.low.toFixed(2)} to {figure.high.toFixed(2)}
        </span>
      )}
    </span>
  );
}
