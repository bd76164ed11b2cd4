// Drives the stock `openai` SDK: BASE_URL and API_KEY come from the environment; prints one JSON line.
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: process.env.BASE_URL,
  apiKey: process.env.API_KEY,
  maxRetries: 0,
});
const messages = [{ role: "user", content: "hello" }];
const model = process.env.MODEL ?? "small";

const whole = await client.chat.completions.create({ model, messages });

const stream = await client.chat.completions.create({
  model,
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
let streamed = "";
let usage = null;
for await (const chunk of stream) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}

const models = [];
for await (const entry of client.models.list()) models.push(entry.id);

let refusal = null;
try {
  await client.chat.completions.create({ model: "no-such-model", messages });
} catch (error) {
  refusal = { name: error.constructor.name, status: error.status, code: error.code };
}

const vector = await client.embeddings.create({
  model,
  input: ["a", "b"],
  encoding_format: "float",
});

console.log(
  JSON.stringify({
    whole: whole.choices[0].message.content,
    total: whole.usage.total_tokens,
    streamed,
    usage,
    models,
    refusal,
    vectors: vector.data.length,
  }),
);
