// The npm package `ai`, watched by itself.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { generateText, streamText } from 'ai';

const sdk = new NodeSDK({ serviceName: 'shop', traceExporter: new OTLPTraceExporter() });
sdk.start();
const gateway = createOpenAICompatible({
  name: 'stockpot',
  baseURL: process.env.OPENAI_BASE_URL,
  apiKey: process.env.OPENAI_API_KEY,
  includeUsage: true,
});
const experimental_telemetry = {
  isEnabled: true,
  functionId: 'describe-dish',
  metadata: { userId: 'guest-3', sessionId: 'table-9', tags: ['lunch'] },
};
const model = gateway(process.env.MODEL);
const system = 'You describe dishes.';
await generateText({ model, system, prompt: 'Describe leek soup.', temperature: 0.3,
  experimental_telemetry });
const stream = streamText({ model, system, prompt: 'Describe pea soup.', experimental_telemetry });
for await (const _ of stream.textStream);
await sdk.shutdown();
