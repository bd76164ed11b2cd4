// Experiments in an application: the arms of the gateway, from what is known, whoever is away.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { draw, Experiments, Observer } from "../dist/index.js";
import { serve, until } from "./server.mjs";

const vectors = new URL("../../tests/unit/assign/vectors.json", import.meta.url);
const told = JSON.parse(await readFile(vectors, "utf8"));
let server;
let open;

beforeEach(async () => {
  server = await serve();
  server.document = told.document;
  open = [];
});
afterEach(async () => {
  for (const one of open) one.close();
  await server.stop();
});

function experiments(options = {}) {
  const made = new Experiments({ url: server.url, key: "sk", ...options });
  open.push(made);
  return made;
}

test("units are in the arms that the gateway puts them in", async () => {
  const known = new Map(told.document.experiments.map((one) => [one.name, one]));
  const here = experiments({ project: "shop" });
  assert.ok(told.cases.length > 200);
  for (const [name, unit, arm, hashed] of told.cases) {
    const drawn = draw(known.get(name), unit);
    assert.deepEqual([drawn?.arm.name ?? null, drawn?.unit ?? ""], [arm, hashed]);
    const found = await here.assign(name, unit);
    assert.deepEqual([found.arm, found.unit], [arm ?? known.get(name).control, hashed]);
  }
  assert.equal(server.asked.length, 1);
  assert.equal(server.asked[0].project, "shop");
  assert.ok([7, 8].includes((await here.assign("tone", "anna")).version));
  assert.equal((await here.assign("unheard of", "anna", { default: "old" })).arm, "old");
  assert.equal((await here.assign("tone", "")).exposed, false);
});

test("what was known serves while the server is away, over a restart too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "experiments-"));
  const here = experiments({ folder, freshMs: 0 });
  const first = await here.assign("tone", "anna");
  assert.ok(first.exposed);
  await until(() => here.peek("tone", "anna") && server.asked.some((one) => one.tag === '"5"'));
  server.leave();
  const asked = server.asked.length;
  await until(() => here.peek("tone", "anna") && server.asked.length > asked + 1);
  assert.deepEqual(here.peek("tone", "anna"), first);
  const restarted = experiments({ folder, freshMs: 0 });
  assert.deepEqual(await restarted.assign("tone", "anna"), first);
  server.document = { version: 6, experiments: [] };
  server.there = true;
  await until(() => !restarted.peek("tone", "anna").exposed);
  await rm(folder, { recursive: true });
});

test("nothing known breaks nothing", async () => {
  const away = experiments({ url: "http://127.0.0.1:9", timeoutMs: 500 });
  for (let n = 0; n < 50; n++) {
    const found = await away.assign("tone", "anna", { default: "control" });
    assert.deepEqual([found.arm, found.target, found.exposed], ["control", "", false]);
  }
});

test("the exposure is said at the span, below it and to the gateway", async () => {
  const observer = new Observer({ url: server.url, key: "sk", sendEveryMs: 10 });
  const here = experiments({ observer });
  const cheap = told.cases.find((one) => one[0] === "cheap" && one[3])[1];
  let tone;
  let other;
  let headers;
  await observer.span("order", async () => {
    tone = await here.assign("tone", "anna");
    await here.assign("tone", "anna");
    await observer.span("cook", async () => {
      other = await here.assign("cheap", cheap);
      headers = observer.headers();
    });
  });
  const alone = await here.assign("tone", "bob");
  await observer.flush();
  await until(() => server.spans().length === 3);
  const said = (one) => `${one.experiment}; arm=${one.arm}; unit=${one.unit}`;
  assert.equal(headers["x-stockpot-experiment-used"], `${said(tone)}, ${said(other)}`);
  const spans = new Map(server.spans().map((one) => [one.name, one.attributes]));
  assert.equal(spans.get("order")["stockpot.experiment.unit"], tone.unit);
  assert.deepEqual(spans.get("cook")["stockpot.experiment.name"], ["tone", "cheap"]);
  assert.deepEqual(spans.get("cook")["stockpot.experiment.variant"], [tone.arm, other.arm]);
  assert.equal(spans.get("experiment tone")["stockpot.experiment.unit"], alone.unit);
});
