import { useState } from "react";
import { parseJson } from "../api/chat";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, TextArea } from "../ui/field";

interface Props {
  value: string;
  onSave: (schema: string) => void;
  onClose: () => void;
}

const EXAMPLE = `{
  "type": "object",
  "properties": { "dish": { "type": "string" }, "price": { "type": "number" } },
  "required": ["dish", "price"]
}`;

export default function SchemaDialog({ value, onSave, onClose }: Props) {
  const [text, setText] = useState(value);
  const bad = text.trim() !== "" && typeof parseJson(text) !== "object";
  const save = () => {
    onSave(text.trim());
    onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Schema of the answer"
      description="The model is asked to keep it, and each answer is checked against it."
      footer={
        <>
          {value && (
            <Button
              className="mr-auto"
              onClick={() => {
                onSave("");
                onClose();
              }}
            >
              Ask for none
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" disabled={bad || !text.trim()} onClick={save}>
            Use this schema
          </Button>
        </>
      }
    >
      <Field label="JSON Schema" error={bad ? "This is no JSON object." : undefined}>
        {(props) => (
          <TextArea
            rows={16}
            spellCheck={false}
            className="font-mono text-xs"
            placeholder={EXAMPLE}
            value={text}
            onChange={(event) => setText(event.target.value)}
            {...props}
          />
        )}
      </Field>
    </Dialog>
  );
}
