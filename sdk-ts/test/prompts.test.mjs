// Prompts in an application: fresh, kept, and there when nobody else is.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Observer, Prompts, PromptUnavailable } from "../dist/index.js";
import { serve, until } from "./server.mjs";

let server;
let open;

beforeEach(async () => {
  server = await serve();
  open = [];
});
afterEach(async () => {
  for (const one of open) one.close();
  await server.stop();
});

function prompts(options = {}) {
  const made = new Prompts({ url: server.url, key: "sk", ...options });
  open.push(made);
  return made;
}

test("a prompt is asked for once and rendered here", async () => {
  const store = prompts({ project: "bistro" });
  const [prompt] = await Promise.all([1, 2, 3].map(() => store.get("menu")));
  assert.deepEqual([prompt.number, prompt.label, prompt.source], [1, "production", "server"]);
  assert.deepEqual(await prompt.request({ dish: "ramen" }), {
    model: "echo",
    messages: [{ role: "user", content: "v1: ramen" }],
  });
  assert.equal(await store.get("menu"), prompt);
  assert.equal(store.peek("menu"), prompt);
  assert.equal(server.asked.filter((one) => one.tag === "").length, 1);
  assert.equal(server.asked[0].project, "bistro");
  assert.equal(server.rendered.length, 0);
  const span = new Observer({ key: "" }).begin({ name: "cook" }).set({ prompt });
  assert.equal(span.headers()["x-stockpot-prompt-used"], "menu@1;label=production");
});

test("a moved label is seen without asking", async () => {
  const store = prompts();
  await store.get("menu");
  await until(() => server.asked.some((one) => one.tag === '"1"'));
  const moved = Date.now();
  server.move(2);
  await until(async () => (await store.get("menu")).number === 2);
  assert.ok(Date.now() - moved < 1000);
  assert.equal((await store.get("menu", { version: 1 })).number, 1);
});

test("what is known serves while the server is away, over a restart too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "prompts-"));
  const store = prompts({ folder });
  await store.get("menu");
  server.leave();
  assert.equal((await (await store.get("menu")).render({ dish: "tea" })).text, "v1: tea");
  const restarted = prompts({ folder });
  const kept = await restarted.get("menu");
  assert.deepEqual([kept.number, kept.source], [1, "disk"]);
  server.there = true;
  server.number = 3;
  await until(async () => (await restarted.get("menu")).number === 3);
  await rm(folder, { recursive: true });
});

test("the fallback serves until the server knows better", async () => {
  server.leave();
  const store = prompts();
  await assert.rejects(store.get("menu"), PromptUnavailable);
  const fallback = [{ role: "system", content: "Be brief about {{ dish }}." }];
  const prompt = await store.get("menu", { fallback });
  assert.equal((await prompt.render({ dish: "soup" })).messages[0].content, "Be brief about soup.");
  assert.deepEqual([prompt.number, prompt.headers()], [0, {}]);
  server.there = true;
  await until(async () => (await store.get("menu", { fallback })).source === "server");
});

test("what is not plain is rendered by the server", async () => {
  for (const content of ["{% if dish %}x{% endif %}", "{{ dish | upper }}", "{{ other }}"]) {
    server.content = content;
    const prompt = await prompts().get("menu");
    assert.equal((await prompt.render({ dish: "pie" })).text, "by the server");
  }
  server.content = "{{ dish }}";
  const prompt = await prompts().get("menu");
  assert.equal((await prompt.render({ dish: 1.5 })).text, "by the server");
  assert.equal((await prompt.render({ dish: "{{ x }}" })).text, "{{ x }}");
  assert.deepEqual(server.rendered.at(-1), { ref: "1", variables: { dish: 1.5 } });
});
