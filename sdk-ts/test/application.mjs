// A small application beside a real instance: prints its trace.

import { observe } from "../dist/index.js";

const { STOCKPOT_GATEWAY, STOCKPOT_KEY } = process.env;
const facts = { kind: "workflow", session: "table 7", user: "ann" };
const trace = await observe.span("order", facts, async (span) => {
  const answer = await fetch(`${STOCKPOT_GATEWAY}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${STOCKPOT_KEY}`,
      "content-type": "application/json",
      ...observe.headers(),
    },
    body: JSON.stringify({ model: "echo", messages: [{ role: "user", content: "soup" }] }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return span.traceId;
});
console.log(trace);
