// The run over rows as a table: a line for each row, a column for each column of the board.
import { Link } from "@tanstack/react-router";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { duration, plural } from "../ui/format";
import { cellKey, closeGrid, type Grid, type GridCell, stopGrid } from "./grid-store";

export function GridView({ grid }: { grid: Grid }) {
  const cells = Object.values(grid.cells);
  const over = cells.filter(({ result }) => !["waiting", "streaming"].includes(result.state));
  const failed = cells.filter(({ result }) => result.state === "failed").length;
  const broken = cells.filter(({ result }) => result.check?.valid === false).length;
  const all = grid.rows.length * grid.columns.length;
  return (
    <section aria-label="Run over rows" className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-10 shrink-0 items-center gap-3 border-b px-4">
        <h2 className="font-semibold">{grid.dataset}</h2>
        <p role="status" className="mr-auto text-ink-2">
          {over.length} of {all} answered
          {failed > 0 && <span className="text-bad">, {plural(failed, "failure")}</span>}
          {broken > 0 && <span className="text-bad">, {broken} break the schema</span>}
        </p>
        {grid.running && (
          <Button icon="stop" onClick={stopGrid}>
            Stop
          </Button>
        )}
        <Button icon="close" onClick={closeGrid}>
          Back to the columns
        </Button>
      </div>
      <div className="min-h-0 flex-1 overflow-auto">
        <table aria-label="Answers by row" className="w-full border-collapse align-top">
          <thead className="sticky top-0 bg-page">
            <tr className="border-b text-left text-xs text-ink-3">
              <th scope="col" className="w-12 px-3 py-1.5 font-medium">
                Row
              </th>
              <th scope="col" className="min-w-[160px] px-2 py-1.5 font-medium">
                Input
              </th>
              <th scope="col" className="min-w-[120px] px-2 py-1.5 font-medium">
                Expected
              </th>
              {grid.columns.map(({ id, settings }, at) => (
                <th key={id} scope="col" className="min-w-[220px] px-2 py-1.5 font-medium">
                  {at + 1}. {[settings.prompt, settings.model].filter(Boolean).join(", ")}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {grid.rows.map((row, at) => (
              <tr key={row.id} className="border-b align-top">
                <th scope="row" className="num px-3 py-2 text-left font-normal text-ink-3">
                  {at + 1}
                </th>
                <td className="max-w-[260px] px-2 py-2 text-xs break-words text-ink-2">
                  {Object.entries(row.input).map(([name, value]) => (
                    <p key={name} className="line-clamp-3">
                      <span className="text-ink-3">{name}: </span>
                      {typeof value === "string" ? value : JSON.stringify(value)}
                    </p>
                  ))}
                </td>
                <td className="max-w-[220px] px-2 py-2 text-xs break-words text-ink-2">
                  {row.expected === null || row.expected === undefined
                    ? ""
                    : typeof row.expected === "string"
                      ? row.expected
                      : JSON.stringify(row.expected)}
                </td>
                {grid.columns.map(({ id }) => (
                  <td key={id} className="px-2 py-2 break-words">
                    <CellView cell={grid.cells[cellKey(at, id)]} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function CellView({ cell }: { cell: GridCell | undefined }) {
  if (!cell) return <span className="text-ink-3">–</span>;
  const { text, result } = cell;
  return (
    <>
      {text && <p className="whitespace-pre-wrap">{text}</p>}
      {result.state === "waiting" && <p className="text-ink-3">…</p>}
      {result.error && <p className="text-bad">{result.error.message}</p>}
      <p className="mt-1 flex flex-wrap items-center gap-2 text-xs text-ink-3">
        {result.check && (
          <Badge
            tone={result.check.valid ? "ok" : "bad"}
            title={result.check.problems.map((one) => `${one.path}: ${one.message}`).join("\n")}
          >
            {result.check.valid ? "valid" : (result.check.problems[0]?.path ?? "invalid")}
          </Badge>
        )}
        {result.totalMs !== undefined && <span>{duration(result.totalMs)}</span>}
        {result.traceId && result.state === "done" && (
          <Link
            to="/traces/$traceId"
            params={{ traceId: result.traceId }}
            search={{}}
            className="text-accent underline"
          >
            Trace
          </Link>
        )}
      </p>
    </>
  );
}
