// The questions of a queue, with the digit that answers each choice of the one that is at hand.
import type { AnnotationQuestion } from "../api/types";
import { cx } from "../ui/cx";
import { Input, TextArea } from "../ui/field";
import { Kbd } from "../ui/kbd";
import { type Answers, choicesOf } from "./answering";

interface Props {
  rubric: readonly AnnotationQuestion[];
  answers: Answers;
  at: number;
  onAnswer: (name: string, value: unknown) => void;
}

export function RubricForm({ rubric, answers, at, onAnswer }: Props) {
  return (
    <div className="flex flex-col gap-4">
      {rubric.map((question, index) => {
        const choices = choicesOf(question);
        const here = index === at;
        return (
          <fieldset key={question.name}>
            <legend className="mb-1 font-medium">
              {question.name}
              {!question.required && (
                <span className="ml-1.5 text-xs font-normal text-ink-3">if you like</span>
              )}
            </legend>
            {question.help && <p className="mb-1.5 text-xs text-ink-2">{question.help}</p>}
            {choices.length > 0 ? (
              <div className="flex flex-wrap gap-1.5">
                {choices.map((choice, number) => {
                  const chosen = answers[question.name] === choice.value;
                  return (
                    <button
                      key={choice.label}
                      type="button"
                      aria-pressed={chosen}
                      onClick={() => onAnswer(question.name, choice.value)}
                      className={cx(
                        "flex h-8 items-center gap-2 rounded-md border px-2.5 text-sm",
                        chosen
                          ? "border-accent bg-accent-wash font-medium text-accent"
                          : "border-line-strong bg-raised hover:bg-hover",
                      )}
                    >
                      {here && number < 9 && <Kbd>{number + 1}</Kbd>}
                      {choice.label}
                    </button>
                  );
                })}
              </div>
            ) : question.kind === "numeric" ? (
              <Input
                aria-label={question.name}
                inputMode="decimal"
                className="max-w-[140px]"
                value={answers[question.name] === undefined ? "" : String(answers[question.name])}
                onChange={(event) => {
                  const value = Number(event.target.value);
                  const known = event.target.value !== "" && Number.isFinite(value);
                  onAnswer(question.name, known ? value : undefined);
                }}
              />
            ) : (
              <TextArea
                aria-label={question.name}
                rows={3}
                value={String(answers[question.name] ?? "")}
                onChange={(event) => onAnswer(question.name, event.target.value || undefined)}
              />
            )}
          </fieldset>
        );
      })}
    </div>
  );
}
