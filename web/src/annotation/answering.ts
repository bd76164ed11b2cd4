// What keys mean while annotating. Pure.
import type { AnnotationQuestion } from "../api/types";

export type Answers = Record<string, unknown>;

/** The choices of a question that digits stand for, in their order. */
export function choicesOf(question: AnnotationQuestion): { value: unknown; label: string }[] {
  if (question.kind === "bool")
    return [
      { value: true, label: "yes" },
      { value: false, label: "no" },
    ];
  if (question.kind === "categorical")
    return question.labels.map((label) => ({ value: label, label }));
  const { least, most } = question;
  if (question.kind !== "numeric" || least === null || most === null) return [];
  if (!Number.isInteger(least) || !Number.isInteger(most) || most - least > 8) return [];
  return Array.from({ length: most - least + 1 }, (_, step) => ({
    value: least + step,
    label: String(least + step),
  }));
}

export function missing(rubric: readonly AnnotationQuestion[], answers: Answers): string[] {
  return rubric
    .filter((one) => one.required && (answers[one.name] === undefined || answers[one.name] === ""))
    .map((one) => one.name);
}

/** The question that the next digit answers: the first without an answer, else the last one. */
export function current(rubric: readonly AnnotationQuestion[], answers: Answers): number {
  const open = rubric.findIndex(
    (one) => answers[one.name] === undefined && choicesOf(one).length > 0,
  );
  return open >= 0 ? open : rubric.length - 1;
}

/** Answers after a digit was typed at a question; the same where the digit means nothing. */
export function typed(
  question: AnnotationQuestion | undefined,
  answers: Answers,
  digit: number,
): Answers {
  const choice = question && choicesOf(question)[digit - 1];
  return question && choice ? { ...answers, [question.name]: choice.value } : answers;
}
