// Functions of every sort and blocks of code become spans of one trace.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { feedbackTo, Observer } from "../dist/index.js";
import { fromEnvironment } from "../dist/options.js";
import { clock } from "../dist/span.js";
import { serve, until } from "./server.mjs";

const run = promisify(execFile);
const AWAY = "http://127.0.0.1:9";
let server;
let observer;
let told;

before(async () => {
  server = await serve();
});
after(() => server.stop());
beforeEach(() => {
  server.bodies.length = server.statuses.length = server.heads.length = 0;
  told = [];
  observer = new Observer({
    url: server.url,
    key: "sk",
    service: "kitchen",
    sendEveryMs: 5,
    warn: (message) => told.push(message),
  });
});

async function spans(count) {
  await until(() => server.spans().length >= count);
  return Object.fromEntries(server.spans().map((span) => [span.name, span]));
}

test("calls inside calls are one trace with what went in and out", async () => {
  const price = observer.wrap(async (dish) => ({ [dish]: 9 }), { name: "price", kind: "tool" });
  const answer = observer.wrap(async function answer(dish) {
    await new Promise((done) => setTimeout(done, 1));
    return `${dish}: ${(await price(dish))[dish]}`;
  });
  assert.equal(await answer("ramen"), "ramen: 9");
  const found = await spans(2);
  assert.equal(found.answer.parentSpanId, undefined);
  assert.equal(found.price.parentSpanId, found.answer.spanId);
  assert.equal(found.price.traceId, found.answer.traceId);
  assert.equal(found.price.attributes["stockpot.kind"], "tool");
  assert.equal(found.price.attributes["gen_ai.tool.name"], "price");
  assert.equal(found.price.attributes["stockpot.input"], "ramen");
  assert.equal(found.price.attributes["stockpot.output"], '{"ramen":9}');
  assert.ok(BigInt(found.price.endTimeUnixNano) <= BigInt(found.answer.endTimeUnixNano));
  assert.equal(server.heads[0].authorization, "Bearer sk");
  const { attributes } = server.bodies[0][1].resourceSpans[0].resource;
  assert.deepEqual(attributes[0], { key: "service.name", value: { stringValue: "kitchen" } });
});

test("what a block says of itself holds below it, and goes with its headers", async () => {
  const facts = { kind: "workflow", session: "table 7", user: "ann", tags: ["lunch"] };
  const headers = observer.span("order", facts, (span) => {
    span.set({ input: { dish: "ramen" }, output: "done", metadata: { seats: 2 } });
    return observer.span("cook", { kind: "llm" }, () => {
      observer.current().set({ model: "gpt-x", usage: { output_tokens: 4 } });
      assert.equal(observer.traceId(), span.traceId);
      return observer.headers();
    });
  });
  observer.begin({ name: "back", parent: headers }).end();
  observer.begin({ name: "stray", parent: { traceparent: "00-nonsense" } }).end();
  const { order, cook, back, stray } = await spans(4);
  for (const one of [order, cook, back]) {
    assert.equal(one.attributes["session.id"], "table 7");
    assert.equal(one.attributes["user.id"], "ann");
  }
  assert.deepEqual(cook.attributes["stockpot.tags"], ["lunch"]);
  assert.equal(order.attributes["stockpot.metadata.seats"], "2");
  assert.equal(cook.attributes["gen_ai.usage.output_tokens"], 4);
  assert.deepEqual(headers, {
    traceparent: `00-${cook.traceId}-${cook.spanId}-01`,
    baggage: "session.id=table%207,user.id=ann",
  });
  assert.equal(back.parentSpanId, cook.spanId);
  assert.deepEqual([order.flags, back.flags], [0x101, 0x301]);
  assert.equal(stray.parentSpanId, undefined);
  assert.deepEqual(observer.headers(), {});
});

test("errors are told and go on", async () => {
  const burn = observer.wrap(async function burn() {
    throw new RangeError("too hot");
  });
  await assert.rejects(burn(), RangeError);
  const spill = observer.wrap(function spill() {
    throw new TypeError("spilt");
  });
  assert.throws(spill, TypeError);
  const found = await spans(2);
  assert.deepEqual(found.burn.status, { code: 2, message: "too hot" });
  assert.equal(found.burn.attributes["error.type"], "RangeError");
  assert.equal(found.burn.events[0].name, "exception");
  assert.equal(found.spill.attributes["error.type"], "TypeError");
});

test("generators of both sorts last as long as they are read", async () => {
  let inside = "";
  const words = observer.wrap(function* words() {
    inside = observer.traceId();
    const said = yield "a";
    yield said ?? "b";
  });
  const stream = observer.wrap(async function* stream(fail) {
    yield "x";
    if (fail) throw new Error("cut");
    yield "y";
  });
  const left = observer.wrap(function* left() {
    yield 1;
    yield 2;
  });
  const outer = observer.begin({ name: "outer" });
  outer.end();
  assert.deepEqual([...words()], ["a", "b"]);
  assert.notEqual(inside, "");
  assert.equal(observer.traceId(), "");
  const got = [];
  for await (const word of stream(false)) got.push(word);
  assert.deepEqual(got, ["x", "y"]);
  for (const number of left()) {
    assert.equal(number, 1);
    break;
  }
  let found = await spans(4);
  assert.equal(found.words.attributes["stockpot.output"], "ab");
  assert.equal(found.stream.attributes["stockpot.output"], "xy");
  assert.equal(found.left.attributes["stockpot.output"], "[1]");
  await assert.rejects(async () => {
    for await (const _ of stream(true));
  }, /cut/);
  found = await spans(5);
  assert.equal(found.stream.status.message, "cut");
});

test("parallel work does not mix its spans", async () => {
  const step = observer.wrap(async (n) => n, { name: "step" });
  const course = observer.wrap(
    async (n) => {
      await new Promise((done) => setTimeout(done, 3 - n));
      return step(n);
    },
    { name: "course" },
  );
  await Promise.all([0, 1, 2].map((n) => course(n)));
  await spans(6);
  const all = server.spans();
  for (const one of all.filter((span) => span.name === "step")) {
    const above = all.find((span) => span.spanId === one.parentSpanId);
    assert.equal(above.attributes["stockpot.input"], one.attributes["stockpot.input"]);
  }
});

test("what is masked never leaves, and odd values break nothing", async () => {
  observer.configure({
    mask: (value) => {
      if (value === "break") throw new Error("no");
      return typeof value === "string" ? value.replace("secret", "***") : value;
    },
    mostChars: 20,
  });
  const circle = {};
  circle.circle = circle;
  const take = observer.wrap((value) => value, { name: "take" });
  for (const value of [
    "secret",
    "break",
    circle,
    10n,
    new Map([[1, 2]]),
    () => 1,
    "x".repeat(50),
  ]) {
    assert.equal(take(value), value);
  }
  observer.wrap(() => "hidden", { name: "quiet", capture: false })();
  await spans(8);
  const sent = JSON.stringify(server.bodies);
  assert.ok(!sent.includes("secret") && !sent.includes("hidden"));
  const outputs = server.spans().map((span) => span.attributes["stockpot.output"]);
  assert.ok(outputs.includes("(not kept: the mask failed)"));
  assert.ok(outputs.includes(`${"x".repeat(20)} ... (50 characters)`));
});

test("what an application says wrongly breaks neither it nor its other spans", async () => {
  const half = `${"x".repeat(9)}\u{1f372}`; // the cut goes through the middle of a character
  observer.configure({ mostChars: 10, sendEveryMs: 60_000 });
  const headers = observer.span("odd", { user: 42, session: "\ud800", tags: "vip" }, (span) => {
    span.set({ input: half, usage: { input_tokens: null, output_tokens: 4 } });
    span
      .set(undefined)
      .set({ name: Symbol("odd") })
      .set({ name: "odd" })
      .score(null);
    feedbackTo(observer)({ user: 42, thumb: "up" });
    observer.span("\udc00 name", { input: { file: Buffer.alloc(20_000_000) } }, () => {});
    return observer.headers();
  });
  assert.equal(headers.baggage, "session.id=%EF%BF%BD,user.id=42");
  assert.ok(await observer.flush());
  const { odd, "\ufffd name": inner } = await spans(2);
  assert.deepEqual(odd.attributes["stockpot.tags"], ["vip"]);
  assert.equal(odd.attributes["stockpot.input"], `${"x".repeat(9)}\ufffd ... (11 characters)`);
  assert.equal(odd.attributes["gen_ai.usage.output_tokens"], 4);
  assert.ok(!("gen_ai.usage.input_tokens" in odd.attributes));
  assert.equal(inner.attributes["stockpot.input"], '{"file":"( ... (27 characters)'); // its size
  assert.equal(server.feedback()[0].user, "42");
});

test("of a generator of large things only the first are held", async () => {
  const pages = observer.wrap(function* pages() {
    for (let n = 0; n < 12; n += 1) yield Buffer.alloc(1024 * 1024);
  });
  assert.equal([...pages()].length, 12);
  const kept = JSON.parse((await spans(1)).pages.attributes["stockpot.output"]);
  assert.deepEqual(kept, Array(4).fill("(1048576 bytes)"));
});

test("spans tell the time of day also after the machine slept", () => {
  let [wall, steady] = [1_000_000, 5n];
  const now = clock(
    () => wall,
    () => steady,
  );
  steady += 7_000n; // finer than the wall's milliseconds
  assert.equal(now(), 1_000_000_007_000n);
  wall += 3_600_000; // the steady clock stood still
  assert.ok(now() >= 4_600_000_000_000n - 1_000_000n);
});

test("scores and feedback follow the spans", async () => {
  const feedback = feedbackTo(observer);
  const span = observer.span("answer", (one) => {
    observer.score({ name: "grounded", value: 0.5 });
    feedback({ thumb: "up", user: "ann" });
    return one;
  });
  feedback({ traceId: span.traceId, score: true, name: "solved" });
  assert.ok(await observer.flush());
  const [first, thumb, solved] = server.feedback();
  assert.deepEqual([first.span_id, first.value], [span.spanId, 0.5]);
  assert.deepEqual([thumb.trace_id, thumb.thumb], [span.traceId, "up"]);
  assert.deepEqual([solved.name, solved.value], ["solved", 1]);
  assert.deepEqual(observer.counts(), { waiting: 0, sent: 4, dropped: 0, refused: 0 });
});

test("while the server is away the buffer keeps its bound and the application goes on", async () => {
  observer.configure({ url: AWAY, bufferItems: 20 });
  for (let n = 0; n < 100; n += 1) observer.begin({ name: "one" }).end();
  assert.deepEqual(observer.counts(), { waiting: 20, sent: 0, dropped: 80, refused: 0 });
  let asked = 0;
  const { fetch } = globalThis;
  globalThis.fetch = (...args) => {
    asked += String(args[0]).startsWith(AWAY);
    return fetch(...args);
  };
  try {
    assert.equal(await observer.flush(400), false);
  } finally {
    globalThis.fetch = fetch;
  }
  assert.ok(asked > 1 && asked <= 6, `asked ${asked} times`); // at 0, 50, 150, 350 ms
  assert.equal(told.filter((one) => one.includes("is dropped")).length, 1);
  assert.equal(told.filter((one) => one.includes("is away")).length, 1);
});

test("a busy server gets each span once; what it refuses is counted", async () => {
  server.statuses.push(503, 429);
  observer.begin({ name: "busy" }).end();
  assert.ok(await observer.flush());
  assert.equal(server.spans().length, 1);
  server.statuses.push(401);
  observer.begin({ name: "refused" }).end();
  assert.ok(await observer.flush());
  assert.deepEqual(observer.counts(), { waiting: 0, sent: 1, dropped: 0, refused: 1 });
});

test("one bad piece of feedback does not spoil the others", async () => {
  observer.configure({ sendEveryMs: 60_000 });
  server.statuses.push(422, 200, 422, 422);
  for (let n = 0; n < 4; n += 1) observer.give({ value: n });
  assert.ok(await observer.flush());
  assert.deepEqual(
    server.feedback().map((item) => item.value),
    [0, 1, 3],
  );
});

test("a key may end with the line of the file that it was read from", async () => {
  const { key, url } = fromEnvironment({ STOCKPOT_KEY: "sk-1\n", STOCKPOT_URL: ` ${server.url} ` });
  assert.deepEqual([key, url], ["sk-1", server.url]);
});

test("without a key nothing is sent and headers still join", async () => {
  observer.configure({ key: "" });
  const call = observer.wrap(() => observer.headers());
  assert.match(call().traceparent, /^00-/);
  assert.ok(await observer.flush());
  assert.deepEqual(server.bodies, []);
});

test("at its natural end a process sends what waits, and ends though the server is away", async () => {
  const code = `
    import { observe, Prompts } from "./dist/index.js";
    observe.configure({ sendEveryMs: 60000, exitMs: 200 });
    observe((x) => x, { name: "last" })(1);
    if (process.argv[1] === "prompts") await new Prompts().get("menu");
  `;
  const argv = ["--input-type=module", "-e", code];
  const env = { ...process.env, STOCKPOT_KEY: "sk", STOCKPOT_URL: server.url };
  await run("node", argv, { env });
  assert.deepEqual(Object.keys(await spans(1)), ["last"]);
  await run("node", [...argv, "prompts"], { env, timeout: 10_000 }); // watching keeps nobody alive
  const away = await run("node", argv, { env: { ...env, STOCKPOT_URL: AWAY }, timeout: 10_000 });
  assert.match(away.stderr, /1 spans were not sent/);
});
