// A server that takes what the SDK sends, and holds prompts.

import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";

export async function serve() {
  const state = {
    bodies: [],
    statuses: [],
    heads: [],
    asked: [],
    number: 1,
    there: true,
    waiting: [],
    document: { version: 0, experiments: [] },
    rendered: [],
    content: "v{n}: {{ dish }}",
  };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    let raw = Buffer.concat(parts);
    if (request.headers["content-encoding"] === "gzip") raw = gunzipSync(raw);
    const url = new URL(request.url, "http://x");
    const answer = (status, body = {}, headers = {}) => {
      response.writeHead(status, headers);
      response.end(status === 304 ? undefined : JSON.stringify(body));
    };
    if (url.pathname.endsWith("/render")) {
      state.rendered.push(JSON.parse(raw));
      answer(200, { name: "menu", number: 1, kind: "text", text: "by the server", messages: [] });
    } else if (request.method === "POST") {
      const status = state.statuses.shift() ?? 200;
      state.heads.push(request.headers);
      if (status === 200) state.bodies.push([url.pathname, JSON.parse(raw)]);
      answer(status);
    } else {
      const tag = request.headers["if-none-match"] ?? "";
      state.asked.push({ path: url.pathname, tag, ...Object.fromEntries(url.searchParams) });
      if (!state.there) return answer(503);
      if (url.pathname.endsWith("/experiments/document")) {
        const etag = `"${state.document.version}"`;
        return tag === etag ? answer(304, {}, { etag }) : answer(200, state.document, { etag });
      }
      if (!url.pathname.includes("/menu/")) return answer(404, { error: { message: "unknown" } });
      if (url.searchParams.get("wait_s") && tag === `"${state.number}"`) {
        await new Promise((done) => {
          state.waiting.push(done);
          setTimeout(done, 2000).unref();
        });
      }
      if (!state.there) return answer(503);
      const number = Number(url.searchParams.get("version") ?? state.number);
      const etag = `"${number}"`;
      if (tag === etag) return answer(304, {}, { etag });
      const body = state.content.replace("{n}", number);
      const label = url.searchParams.get("label") ?? "";
      answer(
        200,
        { project: "default", name: "menu", number, label, kind: "text", body, model: "echo" },
        { etag },
      );
    }
    return undefined;
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const wake = () => {
    for (const done of state.waiting.splice(0)) done();
  };
  return Object.assign(state, {
    url: `http://127.0.0.1:${server.address().port}`,
    move(number) {
      state.number = number;
      wake();
    },
    leave() {
      state.there = false;
      wake();
    },
    stop() {
      wake();
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
    spans: () =>
      state.bodies
        .filter(([path]) => path === "/v1/traces")
        .flatMap(([, body]) => body.resourceSpans[0].scopeSpans[0].spans)
        .map((span) => ({ ...span, attributes: flat(span.attributes) })),
    feedback: () =>
      state.bodies
        .filter(([path]) => path === "/api/v1/feedback")
        .flatMap(([, body]) => body.items),
  });
}

function flat(attributes) {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain(value) {
  const [[kind, inner]] = Object.entries(value);
  if (kind === "arrayValue") return inner.values.map(plain);
  return kind === "intValue" ? Number(inner) : inner;
}

export async function until(condition, ms = 5000) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error("it did not happen in time");
    await new Promise((done) => setTimeout(done, 5));
  }
}
