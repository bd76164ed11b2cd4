import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Field, TextArea } from "../ui/field";
import { ago, fullTime } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Failure, Lines } from "../ui/states";
import { toastError } from "../ui/toast";
import type { Open } from "./prompt-pane";
import { promptCommentsQuery, promptPath } from "./queries";

export function CommentsView({ detail, project }: Open) {
  const { name } = detail.prompt;
  const client = useQueryClient();
  const { userId } = useMay();
  const [text, setText] = useState("");
  const [about, setAbout] = useState("");
  const comments = useQuery(promptCommentsQuery(name, project));
  const again = () =>
    client.invalidateQueries({ queryKey: promptCommentsQuery(name, project).queryKey });
  const say = useMutation({
    mutationFn: () =>
      call(promptPath(name, "/comments"), {
        method: "POST",
        query: { project },
        body: { text, version: about ? Number(about) : null },
      }),
    onSuccess: () => {
      setText("");
      again();
    },
    onError: toastError,
  });
  const remove = useMutation({
    mutationFn: (id: string) =>
      call(promptPath(name, `/comments/${encodeURIComponent(id)}`), {
        method: "DELETE",
        query: { project },
      }),
    onSuccess: again,
    onError: toastError,
  });
  if (comments.error && !comments.data)
    return <Failure error={comments.error} onRetry={comments.refetch} className="m-4" />;
  if (!comments.data) return <Lines rows={4} />;
  return (
    <div className="max-w-[820px] px-4 py-3">
      {comments.data.length === 0 && (
        <p className="mb-3 text-ink-2">
          Nobody said anything yet. Say why a version is as it is: the next editor reads it here.
        </p>
      )}
      <ul className="flex flex-col gap-3">
        {comments.data.map((one) => (
          <li key={one.id} className="rounded-lg border px-3 py-2">
            <p className="flex items-center gap-2 text-xs text-ink-3">
              <span className="font-medium text-ink">{one.author}</span>
              {one.version !== null && <Badge>v{one.version}</Badge>}
              <time title={fullTime(one.created_ms)}>{ago(one.created_ms)}</time>
              {one.author_id === userId && (
                <Button
                  tone="ghost"
                  icon="trash"
                  className="ml-auto"
                  aria-label="Remove this comment"
                  onClick={() => remove.mutate(one.id)}
                />
              )}
            </p>
            <p className="break-words whitespace-pre-wrap">{one.text}</p>
          </li>
        ))}
      </ul>
      <div className="mt-4">
        <Field label="Comment">
          {(props) => (
            <TextArea
              rows={3}
              value={text}
              onChange={(event) => setText(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <div className="mt-2 flex gap-2">
          <NativeSelect
            label="About"
            value={about}
            choices={[
              { value: "", label: "the prompt as a whole" },
              ...detail.versions.map(({ number }) => ({
                value: String(number),
                label: `version ${number}`,
              })),
            ]}
            onChange={setAbout}
          />
          <Button
            tone="primary"
            busy={say.isPending}
            disabled={!text.trim()}
            onClick={() => say.mutate()}
          >
            Comment
          </Button>
        </div>
      </div>
    </div>
  );
}
