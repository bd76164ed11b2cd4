// The first call to the gateway in three languages, ready to paste.
import { useState } from "react";
import { CodeBlock } from "./code";
import { cx } from "./cx";

export type Language = "curl" | "python" | "typescript";
const LANGUAGES: readonly { id: Language; label: string }[] = [
  { id: "curl", label: "curl" },
  { id: "python", label: "Python" },
  { id: "typescript", label: "TypeScript" },
];

export interface CallSnippet {
  gateway: string;
  model: string;
  secret: string;
  embedding?: boolean;
}

/** `http://host:4000`, `http://host:4000/` and `http://host:4000/v1` all mean the same gateway. */
export function apiBase(gateway: string): string {
  return `${gateway.replace(/\/+$/, "").replace(/\/v1$/, "")}/v1`;
}

export function snippet(
  language: Language,
  { gateway, model, secret, embedding }: CallSnippet,
): string {
  const base = apiBase(gateway);
  if (language === "curl") {
    const path = embedding ? "embeddings" : "chat/completions";
    const body = embedding
      ? `{"model": "${model}", "input": "Hello"}`
      : `{"model": "${model}", "messages": [{"role": "user", "content": "Say hello"}]}`;
    return `curl ${base}/${path} \\\n  -H "Authorization: Bearer ${secret}" \\\n  -H "Content-Type: application/json" \\\n  -d '${body}'`;
  }
  if (language === "python") {
    const call = embedding
      ? `answer = client.embeddings.create(model="${model}", input="Hello")\nprint(len(answer.data[0].embedding))`
      : `answer = client.chat.completions.create(\n    model="${model}",\n    messages=[{"role": "user", "content": "Say hello"}],\n)\nprint(answer.choices[0].message.content)`;
    return `from openai import OpenAI\n\nclient = OpenAI(\n    base_url="${base}",\n    api_key="${secret}",\n)\n${call}`;
  }
  const call = embedding
    ? `const answer = await client.embeddings.create({ model: "${model}", input: "Hello" });\nconsole.log(answer.data[0].embedding.length);`
    : `const answer = await client.chat.completions.create({\n  model: "${model}",\n  messages: [{ role: "user", content: "Say hello" }],\n});\nconsole.log(answer.choices[0].message.content);`;
  return `import OpenAI from "openai";\n\nconst client = new OpenAI({\n  baseURL: "${base}",\n  apiKey: "${secret}",\n});\n${call}`;
}

export function Snippet(props: CallSnippet) {
  const [language, setLanguage] = useState<Language>("curl");
  return (
    <div>
      <fieldset className="mb-1.5 flex gap-1">
        <legend className="sr-only">Language of the example</legend>
        {LANGUAGES.map(({ id, label }) => (
          <button
            key={id}
            type="button"
            aria-pressed={language === id}
            onClick={() => setLanguage(id)}
            className={cx(
              "h-6 rounded-md px-2 text-xs",
              language === id ? "bg-mute-wash font-medium text-ink" : "text-ink-2 hover:text-ink",
            )}
          >
            {label}
          </button>
        ))}
      </fieldset>
      <CodeBlock text={snippet(language, props)} label="Copy the example" />
    </div>
  );
}
