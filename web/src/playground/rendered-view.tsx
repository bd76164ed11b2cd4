// What the prompt of a column comes to with the present variables, before anything is sent.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asApiError } from "../api/client";
import { renderQuery } from "../prompts/queries";
import { typed } from "./board";
import { useBoard } from "./board-store";

const PAUSE_MS = 250;

export function RenderedView({
  prompt,
  project = "default",
}: {
  prompt: string;
  project: string | undefined;
}) {
  const { variables } = useBoard();
  const settled = useSettled(variables);
  const [name = "", ref = ""] = prompt.split("@");
  const filled = Object.fromEntries(
    Object.entries(settled)
      .filter(([, value]) => value !== "")
      .map(([key, value]) => [key, typed(value)]),
  );
  const { data, error } = useQuery({
    ...renderQuery(name, project, { ref, variables: filled }),
    placeholderData: keepPreviousData,
  });
  const messages = data?.kind === "text" ? [{ role: "user", content: data.text }] : data?.messages;
  return (
    <div aria-label="The prompt, filled in" role="group" className="border-b bg-accent-wash/40">
      {error ? (
        <p role="alert" className="px-4 py-2.5 text-sm text-bad">
          {asApiError(error).message}
        </p>
      ) : (
        messages?.map((message, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: messages of a prompt never move
          <div key={at} className="px-4 py-2">
            <p className="text-xs font-semibold text-ink-2">
              <span className="capitalize">{String(message.role)}</span>{" "}
              <span className="font-normal text-ink-3">{prompt}</span>
            </p>
            <p className="break-words whitespace-pre-wrap">
              {typeof message.content === "string"
                ? message.content
                : JSON.stringify(message.content)}
            </p>
          </div>
        ))
      )}
    </div>
  );
}

function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
