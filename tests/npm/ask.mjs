// Asks with the stock `openai` and `@anthropic-ai/sdk`: each line on stdin is a request in JSON, each
// line on stdout the whole answer as the SDK gives it, with its headers, or the error it threw.
import { createInterface } from "node:readline";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

let headers = {};
const options = {
  maxRetries: 0,
  fetch: async (...call) => {
    const response = await fetch(...call);
    headers = Object.fromEntries(response.headers);
    return response;
  },
};

const asks = {
  async openai({ url, key, request, stream }) {
    const client = new OpenAI({ ...options, baseURL: `${url}/v1`, apiKey: key });
    if (!stream) return client.chat.completions.create(request);
    return client.chat.completions.stream(request).finalChatCompletion();
  },
  async anthropic({ url, key, request, stream }) {
    const client = new Anthropic({ ...options, baseURL: url, apiKey: key });
    if (!stream) return client.messages.create(request);
    return client.messages.stream(request).finalMessage();
  },
};
const thrown = { openai: OpenAI.OpenAIError, anthropic: Anthropic.AnthropicError };

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  let said;
  try {
    said = { answer: await asks[job.sdk](job), headers };
  } catch (error) {
    if (!(error instanceof thrown[job.sdk])) throw error;
    said = { failed: { status: error.status ?? null, message: error.message } };
  }
  console.log(JSON.stringify(said));
}
