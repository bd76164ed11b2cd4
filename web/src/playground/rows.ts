// Rows of a data set as variables. Pure.

export interface Row {
  id: string;
  input: Record<string, unknown>;
  expected: unknown;
}

/** Each member of a row's input as a variable's text. */
export function wordsOf(input: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(input)
      .filter(([name]) => name !== "messages")
      .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

/** What is asked of a row: the messages before the first answer, or the row's own when the column
 * says nothing itself. */
export function messagesOf(input: Record<string, unknown>): object[] {
  return Array.isArray(input.messages) ? input.messages : [];
}
