// One judge: its versions, its certificate by slice, the human ceiling, what was not read, expiry.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Interval } from "../evals/interval";
import { Badge } from "../ui/badge";
import { CodeBlock } from "../ui/code";
import { ago, count, fullTime, money, percent } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { Certificate } from "./certificate";
import { KAPPA, LEAST } from "./judges-page";
import {
  type CertificateRecord,
  certificatesQuery,
  type Estimated,
  type Judge,
  versionsQuery,
} from "./queries";
import { askedOf, estimated, scaleText, tallyText, unreadText } from "./words";

interface Props {
  project: string;
  name: string;
  version?: number;
}

export function JudgeView({ project, name, version }: Props) {
  const versions = useQuery(versionsQuery(project, name));
  const certificates = useQuery(certificatesQuery(project, name));
  const failed = [versions, certificates].find((one) => one.error && !one.data);
  if (failed) return <Failure error={failed.error} onRetry={failed.refetch} className="m-4" />;
  if (!versions.data || !certificates.data) return <Lines className="p-6" />;
  const judge = versions.data.find((one) => one.version === version) ?? versions.data[0];
  if (!judge) return <Lines className="p-6" />;
  const mine = certificates.data.filter((one) => one.version === judge.version);
  return (
    <div className="pb-10">
      <Head judge={judge} versions={versions.data} />
      <Facts judge={judge} />
      {mine[0] ? <Measured certificate={mine[0]} /> : <Uncertified judge={judge} />}
      <Prompt judge={judge} />
      {mine.length > 1 && <History certificates={mine.slice(1)} />}
    </div>
  );
}

function Head({ judge, versions }: { judge: Judge; versions: readonly Judge[] }) {
  const navigate = useNavigate();
  return (
    <div className="flex flex-wrap items-center gap-2 px-4 py-2">
      <Link
        to="/judges"
        search={(old) => ({ project: old.project })}
        className="text-ink-2 hover:underline"
      >
        Judges
      </Link>
      <span className="text-ink-3">/</span>
      <h2 className="mr-auto truncate text-base font-semibold">
        {judge.name}
        {judge.message && <span className="pl-2 font-normal text-ink-2">{judge.message}</span>}
      </h2>
      <NativeSelect
        label="Version"
        value={String(judge.version)}
        onChange={(version) =>
          navigate({ to: "/judges", search: (old) => ({ ...old, version: Number(version) }) })
        }
        choices={versions.map((one) => ({
          value: String(one.version),
          label: `Version ${one.version}, ${ago(one.created_ms)}`,
        }))}
      />
    </div>
  );
}

function Facts({ judge }: { judge: Judge }) {
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-1 border-y px-4 py-2">
      <Fact term="Kind">
        <Badge>{judge.kind}</Badge>
      </Fact>
      <Fact term="Asks">{askedOf(judge)}</Fact>
      <Fact term="Says">{scaleText(judge)}</Fact>
      {judge.kind === "pairwise" && (
        <Fact term="Orders">{judge.both_orders ? "both" : "one: position may decide"}</Fact>
      )}
      <Fact term="Abstains">{judge.abstain ? "where it cannot tell" : "never"}</Fact>
      <Fact term="Content">
        <code className="font-mono text-xs">{judge.content_hash.slice(0, 12)}</code>
      </Fact>
      <Fact term="Made">
        <span title={fullTime(judge.created_ms)}>{ago(judge.created_ms)}</span> by{" "}
        {judge.created_by}
      </Fact>
    </dl>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-3">{term}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}

function Uncertified({ judge }: { judge: Judge }) {
  return (
    <section aria-label="Certificate" className="max-w-[680px] px-4 pt-4">
      <h3 className="font-semibold">Nobody has measured version {judge.version} against people</h3>
      <p className="mb-3 text-ink-2">
        It may inform, never gate. Let people say what they think of the rows of a data set, in an
        annotation queue or a file, and hold the judge against them.
      </p>
      <CodeBlock
        label="Copy the command"
        text={`stockpot eval judges certify ${judge.name} --dataset DATASET`}
      />
    </section>
  );
}

function Measured({ certificate: one }: { certificate: CertificateRecord }) {
  if (one.progress !== "done")
    return (
      <p
        role={one.progress === "failed" ? "alert" : "status"}
        className="mx-4 mt-3 rounded-lg border bg-panel px-3 py-2"
      >
        The certificate is {one.progress}
        {one.error ? `: ${one.error}` : "…"}
      </p>
    );
  const badge = {
    judge: `judge:${one.judge}@${one.version}`,
    state: one.state,
    kappa: one.kappa?.value ?? null,
    low: one.kappa?.low ?? null,
    high: one.kappa?.high ?? null,
    n: one.n,
    words: one.reason,
  };
  return (
    <section aria-label="Certificate" className="pt-3">
      <div className="flex flex-wrap items-center gap-2 px-4 pb-1">
        <h3 className="font-semibold">Certificate</h3>
        <Certificate badge={badge} />
        <span className="text-ink-2">{one.reason}</span>
      </div>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 px-4 pb-2">
        <Fact term="Rows">
          {one.dataset || "of a file"}
          {one.dataset_version !== null && ` @${one.dataset_version}`}
        </Fact>
        <Fact term="People">
          {count(one.labels)} labels of {count(one.raters)}
          {one.disputed > 0 && `, ${one.disputed} rows disputed`}
        </Fact>
        <Fact term="Served by">{one.fingerprint.join(", ") || "not known"}</Fact>
        <Fact term="Issued">
          <span title={fullTime(one.issued_ms)}>{ago(one.issued_ms)}</span>
        </Fact>
        <Fact term="Expires">
          {one.expires_ms === null ? "" : fullTime(one.expires_ms, "min")}, or when model or prompt
          change
        </Fact>
      </dl>
      <Slices certificate={one} />
      <Rest certificate={one} />
    </section>
  );
}

function Slices({ certificate: one }: { certificate: CertificateRecord }) {
  const whole = { slice: "", n: one.n, kappa: one.kappa, accuracy: one.accuracy, alpha: one.alpha };
  return (
    <>
      <Table
        label="Agreement with people"
        min={620}
        head={[
          { title: "Rows" },
          { title: "n", num: true },
          { title: "κ" },
          { title: "From, to" },
          { title: "Same word" },
          { title: "α", wide: true },
        ]}
      >
        {[whole, ...one.slices].map((part) => (
          <tr key={part.slice} className={ROW}>
            <Cell className={part.slice ? "!pl-8 text-ink-2" : "font-medium"}>
              {part.slice || "All rows"}
            </Cell>
            <Cell num>{count(part.n)}</Cell>
            <Cell>
              <Bar one={part.kappa} />
            </Cell>
            <Cell className="whitespace-nowrap text-ink-2">{estimated(part.kappa)}</Cell>
            <Cell className="whitespace-nowrap">{estimated(part.accuracy)}</Cell>
            <Cell wide className="whitespace-nowrap text-ink-2">
              {estimated(part.alpha)}
            </Cell>
          </tr>
        ))}
        {one.ceiling && (
          <tr className={ROW}>
            <Cell className="font-medium">People among themselves</Cell>
            <Cell num>{count(one.ceiling.items)}</Cell>
            <Cell>
              <Bar one={one.ceiling.kappa} color="var(--ink-3)" />
            </Cell>
            <Cell className="whitespace-nowrap text-ink-2">{estimated(one.ceiling.kappa)}</Cell>
            <Cell className="whitespace-nowrap">{estimated(one.ceiling.accuracy)}</Cell>
            <Cell wide className="whitespace-nowrap text-ink-2">
              {estimated(one.ceiling.alpha)}
            </Cell>
          </tr>
        )}
      </Table>
      <p className="px-4 pt-1 text-xs text-ink-3">
        The dashed line is {LEAST}: where the lower end of all rows lies left of it, the judge may
        inform, never gate.{" "}
        {!one.ceiling &&
          "No row was rated by two people: how far people agree with each other is not known."}
      </p>
    </>
  );
}

function Bar({ one, color }: { one: Estimated | null; color?: string }) {
  if (!one || one.value === null) return <span className="text-ink-3">not known</span>;
  return (
    <Interval
      value={one.value}
      low={one.low}
      high={one.high}
      scale={KAPPA}
      marks={[{ at: 0 }, { at: LEAST, dashed: true }]}
      color={color}
      label={`kappa ${estimated(one)}`}
    />
  );
}

function Rest({ certificate: { tally, corrected } }: { certificate: CertificateRecord }) {
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-2 px-4 pt-3">
      <Fact term="Verdicts">{tallyText(tally)}</Fact>
      <Fact term="Could not be read">{unreadText(tally)}</Fact>
      {tally.swap_consistency !== null && (
        <Fact term="The same in both orders">
          {percent(tally.consistent, tally.pairs)} of {count(tally.pairs)} pairs
          {tally.first_shown !== null &&
            `; ${percent(tally.first_shown, 1)} of calls prefer what stands first`}
        </Fact>
      )}
      {tally.juries > 0 && (
        <Fact term="Jury of one mind">{percent(tally.juries - tally.split, tally.juries)}</Fact>
      )}
      {corrected && (
        <Fact term="Score">
          the judge says {corrected.naive.toFixed(3)}; people would say{" "}
          <b className="font-medium">{estimated(corrected.estimate)}</b>, by {corrected.labelled} of
          their labels
        </Fact>
      )}
      {corrected?.rogan_gladen && (
        <Fact term="By the judge’s errors">{estimated(corrected.rogan_gladen)}</Fact>
      )}
      <Fact term="Cost">{money(tally.cost_nano)}</Fact>
    </dl>
  );
}

function Prompt({ judge }: { judge: Judge }) {
  const texts = judge.members.length > 0 ? judge.members : [judge];
  return (
    <section aria-label="Prompt" className="max-w-[860px] px-4 pt-5">
      <h3 className="pb-1 font-semibold">What is asked</h3>
      {texts.map((one) => (
        <CodeBlock
          key={one.content_hash}
          label="Copy the prompt"
          text={one.prompt.replaceAll("{{criteria}}", one.criteria)}
        />
      ))}
    </section>
  );
}

function History({ certificates }: { certificates: readonly CertificateRecord[] }) {
  return (
    <section aria-label="Earlier certificates" className="pt-5">
      <h3 className="px-4 pb-1 font-semibold">Earlier certificates</h3>
      <Table
        label="Earlier certificates"
        head={[{ title: "Issued" }, { title: "κ" }, { title: "n", num: true }, { title: "Rows" }]}
      >
        {certificates.map((one) => (
          <tr key={one.id} className={ROW}>
            <Cell title={fullTime(one.issued_ms)}>{ago(one.issued_ms)}</Cell>
            <Cell>{one.progress === "done" ? estimated(one.kappa) : one.progress}</Cell>
            <Cell num>{count(one.n)}</Cell>
            <Cell>{one.dataset}</Cell>
          </tr>
        ))}
      </Table>
    </section>
  );
}
