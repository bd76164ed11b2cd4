// A text, and what a policy makes of it: what each rule found, and how long it took.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { GuardrailPolicy, GuardrailTested } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Field, TextArea } from "../ui/field";
import { Select } from "../ui/select";
import { Failure } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { testText } from "./queries";
import { stretches } from "./words";

type Place = "input" | "output" | "tool_call" | "tool_result" | "retrieved";
const PLACES: readonly { value: Place; label: string }[] = [
  { value: "input", label: "as input" },
  { value: "output", label: "as output" },
  { value: "tool_call", label: "as a tool call" },
  { value: "tool_result", label: "as a tool's result" },
  { value: "retrieved", label: "as retrieved text" },
];

export function Tester({ policy }: { policy: GuardrailPolicy }) {
  const [text, setText] = useState("");
  const [place, setPlace] = useState<Place>("input");
  const test = useMutation({
    mutationFn: (said: string) =>
      testText({ project: policy.project, policy: policy.name, text: said, on: place }),
  });
  return (
    <section aria-label="Tester" className="border-t px-4 py-4">
      <h2 className="mb-2 font-medium">Try a text</h2>
      <Field label={`What would ${policy.name} make of it? Nothing is kept.`}>
        {(props) => (
          <TextArea
            {...props}
            rows={4}
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) test.mutate(text);
            }}
          />
        )}
      </Field>
      <div className="mt-2 flex items-center gap-2">
        <Select
          label="Read it as"
          value={place}
          choices={PLACES}
          onChange={(value) => setPlace(value as Place)}
        />
        <Button
          tone="primary"
          busy={test.isPending}
          disabled={!text}
          onClick={() => test.mutate(text)}
        >
          Test
        </Button>
        <span className="text-xs text-ink-3">Ctrl Enter</span>
      </div>
      {test.error && <Failure error={test.error} className="mt-3" />}
      {test.data && <Found text={test.variables ?? ""} tested={test.data} />}
    </section>
  );
}

const TONE = { allow: "ok", flag: "accent", mask: "warn" } as const;

function Found({ text, tested }: { text: string; tested: GuardrailTested }) {
  const tone = TONE[tested.action as keyof typeof TONE] ?? "bad";
  return (
    <div className="mt-3" aria-live="polite">
      <p className="mb-2 flex items-center gap-2">
        <Badge tone={tone}>{tested.action}</Badge>
        <span className="text-ink-2">{tested.us.toFixed(0)} µs of processor time</span>
      </p>
      <p className="rounded-md border bg-panel px-3 py-2 font-mono text-xs break-words whitespace-pre-wrap">
        {stretches(text, tested).map((one, number) =>
          one.types.length === 0 ? (
            one.text
          ) : (
            <mark
              // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text in their order
              key={number}
              title={one.types.join(", ")}
              className="rounded bg-warn-wash px-0.5 text-warn"
            >
              {one.text}
              <span className="sr-only"> ({one.types.join(", ")})</span>
            </mark>
          ),
        )}
      </p>
      {tested.text !== text && (
        <p className="mt-2 rounded-md border px-3 py-2 font-mono text-xs break-words whitespace-pre-wrap">
          {tested.text}
        </p>
      )}
      <div className="mt-2">
        <Table
          label="What each rule found"
          min={480}
          head={[
            { title: "Rule" },
            { title: "Found" },
            { title: "Then" },
            { title: "Holds of a stream", wide: true },
            { title: "µs", num: true },
          ]}
        >
          {tested.rules.map((rule) => (
            <tr key={rule.rule} className="border-b">
              <Cell className="py-1.5">{rule.rule}</Cell>
              <Cell className="py-1.5 text-ink-2">
                {rule.skipped || rule.failed || counted(rule.findings ?? []) || "nothing"}
              </Cell>
              <Cell className="py-1.5">
                {rule.action}
                {rule.shadow ? " (shadow)" : ""}
              </Cell>
              <Cell wide className="py-1.5 text-ink-2">
                {rule.holds || "nothing"}
              </Cell>
              <Cell num className="py-1.5">
                {(rule.us ?? 0).toFixed(0)}
              </Cell>
            </tr>
          ))}
        </Table>
      </div>
    </div>
  );
}

function counted(findings: readonly { type: string }[]): string {
  const counts = new Map<string, number>();
  for (const one of findings) counts.set(one.type, (counts.get(one.type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${type} ×${count}`).join(", ");
}
