// Reading the OpenAI dialect: requests, whole answers and streamed ones, into one shape to show.
// Never throws: a body that is something else is simply not a conversation.
import { looksLikeEvents, readEvents } from "./sse";

export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

export interface Message {
  role: string;
  text: string;
  reasoning: string;
  toolCalls: ToolCall[];
  /** What a part that is not text was: `image`, `audio`, `file`. */
  media: string[];
  toolCallId?: string;
}

export interface Usage {
  input: number;
  output: number;
  cacheRead: number;
  reasoning: number;
}

export interface Answer {
  choices: Message[];
  finish: string;
  usage: Usage | null;
  error: { message: string; code: string } | null;
  embedding: { count: number; dimensions: number; sample: number[] } | null;
  /** False when a stream ended without its `[DONE]` or a finish reason. */
  complete: boolean;
  streamed: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies come from anywhere; every access is guarded
type Loose = any;

export function parseJson(text: string): Loose {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const str = (value: Loose): string => (typeof value === "string" ? value : "");
const num = (value: Loose): number =>
  typeof value === "number" && Number.isFinite(value) ? value : 0;
const list = (value: Loose): Loose[] => (Array.isArray(value) ? value : []);

export function emptyMessage(role = "assistant"): Message {
  return { role, text: "", reasoning: "", toolCalls: [], media: [] };
}

export function readMessage(raw: Loose): Message {
  const message = emptyMessage(str(raw?.role) || "user");
  if (typeof raw?.content === "string") message.text = raw.content;
  for (const part of list(raw?.content)) {
    if (typeof part === "string" || typeof part?.text === "string") {
      message.text += (message.text ? "\n" : "") + (typeof part === "string" ? part : part.text);
    } else {
      message.media.push(str(part?.type).replace(/^input_|_url$/g, "") || "part");
    }
  }
  message.text ||= str(raw?.refusal) || str(raw?.audio?.transcript);
  message.reasoning = str(raw?.reasoning_content) || str(raw?.reasoning);
  message.toolCalls = list(raw?.tool_calls).map((call) => ({
    id: str(call?.id),
    name: str(call?.function?.name),
    arguments: str(call?.function?.arguments),
  }));
  if (raw?.tool_call_id) message.toolCallId = str(raw.tool_call_id);
  return message;
}

/** The messages of a request: of a chat, a plain completion or an embedding. */
export function readRequest(text: string): Message[] {
  const body = parseJson(text);
  if (Array.isArray(body?.messages)) return body.messages.map(readMessage);
  const plain = body?.prompt ?? body?.input;
  const texts = Array.isArray(plain) ? plain : plain === undefined ? [] : [plain];
  return texts.slice(0, 50).map((item) => ({
    ...emptyMessage("user"),
    text: typeof item === "string" ? item : JSON.stringify(item),
  }));
}

function readUsage(raw: Loose): Usage | null {
  if (!raw || typeof raw !== "object") return null;
  return {
    input: num(raw.prompt_tokens),
    output: num(raw.completion_tokens),
    cacheRead: num(raw.prompt_tokens_details?.cached_tokens),
    reasoning: num(raw.completion_tokens_details?.reasoning_tokens),
  };
}

function readError(raw: Loose): Answer["error"] {
  const error = raw?.error;
  if (!error) return null;
  if (typeof error === "string") return { message: error, code: "" };
  return {
    message: str(error.message) || JSON.stringify(error),
    code: str(error.code) || str(error.type),
  };
}

/** Puts the chunks of a stream together again. */
export class AnswerBuilder {
  readonly answer: Answer = {
    choices: [],
    finish: "",
    usage: null,
    error: null,
    embedding: null,
    complete: false,
    streamed: true,
  };

  /** One event's data. Returns false for the closing `[DONE]`. */
  add(data: string): boolean {
    if (data.trim() === "[DONE]") {
      this.answer.complete = true;
      return false;
    }
    const chunk = parseJson(data);
    this.answer.error ??= readError(chunk);
    this.answer.usage = readUsage(chunk?.usage) ?? this.answer.usage;
    for (const choice of list(chunk?.choices)) this.choice(choice);
    return true;
  }

  private choice(choice: Loose): void {
    const { choices } = this.answer;
    const index = Math.min(num(choice?.index), 127);
    while (choices.length <= index) choices.push(emptyMessage());
    const message = choices[index];
    if (!message) return;
    const delta = choice?.delta ?? {};
    message.role = str(delta.role) || message.role;
    message.text += str(delta.content) + str(delta.refusal) + str(choice?.text);
    message.text += str(delta.audio?.transcript);
    message.reasoning += str(delta.reasoning_content) || str(delta.reasoning);
    for (const call of list(delta.tool_calls)) mergeToolCall(message.toolCalls, call);
    if (choice?.finish_reason) {
      this.answer.finish = str(choice.finish_reason);
      this.answer.complete = true;
    }
  }
}

function mergeToolCall(calls: ToolCall[], delta: Loose): void {
  const index = typeof delta?.index === "number" ? Math.min(delta.index, 127) : calls.length;
  while (calls.length <= index) calls.push({ id: "", name: "", arguments: "" });
  const call = calls[index];
  if (!call) return;
  call.id ||= str(delta?.id);
  call.name += str(delta?.function?.name);
  call.arguments += str(delta?.function?.arguments);
}

export function readAnswer(text: string): Answer | null {
  if (looksLikeEvents(text)) {
    const builder = new AnswerBuilder();
    for (const event of readEvents(text)) builder.add(event);
    return builder.answer;
  }
  const body = parseJson(text);
  if (!body || typeof body !== "object") return null;
  const choices = list(body.choices).map((choice) =>
    choice?.message ? readMessage(choice.message) : { ...emptyMessage(), text: str(choice?.text) },
  );
  return {
    choices,
    finish: str(body.choices?.[0]?.finish_reason),
    usage: readUsage(body.usage),
    error: readError(body),
    embedding: readEmbedding(body),
    complete: true,
    streamed: false,
  };
}

function readEmbedding(body: Loose): Answer["embedding"] {
  const vectors = list(body.data).filter((item) => item?.object === "embedding" || item?.embedding);
  if (vectors.length === 0) return null;
  const first = vectors[0].embedding;
  if (typeof first === "string") {
    return { count: vectors.length, dimensions: Math.floor((first.length * 3) / 16), sample: [] };
  }
  const values = list(first).map(num);
  return { count: vectors.length, dimensions: values.length, sample: values.slice(0, 12) };
}

/** JSON with two spaces of indent; any other text as it is. */
export function pretty(text: string): string {
  const value = parseJson(text);
  return value === undefined ? text : JSON.stringify(value, null, 2);
}
