// Fails when the console's first load outgrows its budget, or when a lazy route is not lazy.
// First load = what index.html makes the browser fetch before any page: entry, its static imports,
// styles and the document itself, gzip. Fonts are counted apart: they never block text.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 120;
const PAGE_BUDGET_KB = 90;
const dist = join(dirname(fileURLToPath(import.meta.url)), "../../src/stockpot/console");
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));
const size = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;

function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}
const filesOf = (keys) =>
  new Set([...keys].flatMap((key) => [manifest[key].file, ...(manifest[key].css ?? [])]));
const sum = (files) => [...files].reduce((total, file) => total + size(file), 0);
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const first = filesOf(closure(entry));
const firstBytes = sum(first) + size("index.html") + size("theme.js");
console.log(`first load  ${kb(firstBytes)} gzip (budget ${BUDGET_KB} kB)`);

let failed = firstBytes > BUDGET_KB * 1000;
for (const key of manifest[entry].dynamicImports ?? []) {
  const own = new Set([...filesOf(closure(key))].filter((file) => !first.has(file)));
  const bytes = sum(own);
  console.log(`  + ${manifest[key].src.padEnd(36)} ${kb(bytes)}`);
  failed ||= bytes > PAGE_BUDGET_KB * 1000;
}
const assets = readdirSync(join(dist, "assets"));
const fonts = assets.filter((name) => name.endsWith(".woff2"));
const fontBytes = fonts.reduce(
  (total, name) => total + statSync(join(dist, "assets", name)).size,
  0,
);
console.log(`fonts       ${kb(fontBytes)} in ${fonts.length} files, loaded when used`);
if (failed) {
  console.error(
    `Too large: first load must stay under ${BUDGET_KB} kB, a page under ${PAGE_BUDGET_KB} kB.`,
  );
  process.exit(1);
}
