// build.mjs - makes each web/<page>/{index.html,main.ts or .tsx,style.css} into one self-contained HTML text, and all of them into one C file.
//
//   node web/build.mjs OUT.c [DIST_FOLDER [DEPFILE]]
//
// <!--common/NAME--> is what web/common/NAME.html holds. The script and the style are put in place of <!--style--> and <!--script-->; the policy (<!--policy-->) names their hashes, so nothing else
// runs. A page may load pictures from, and talk to, the server it came from, no more; withScripts and withMedia say which may a little more. DIST_FOLDER gets the pages as files too, DEPFILE what was
// read (for ninja).
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

const web = dirname(fileURLToPath(import.meta.url));
const [out, dist, depfile] = process.argv.slice(2);
if (!out) {
  console.error("usage: node web/build.mjs OUT.c [DIST_FOLDER]");
  process.exit(2);
}
if (!existsSync(join(web, "node_modules", "esbuild"))) {
  console.error("web/node_modules is missing: run `npm ci` in the folder web/ (the set-up script does), then build again.");
  process.exit(1);
}
const { buildSync } = await import("esbuild");

const bundle = (file, loader, define = {}) =>
  buildSync({
    entryPoints: [file],
    define,
    bundle: true,
    minify: true,
    write: false,
    target: "es2022",
    format: loader === "css" ? undefined : "iife",
    charset: "utf8",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
  }).outputFiles[0].text.trim();

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

// A folder with script.ts instead of a page is one script, for pages of others; its style is the text STYLE in it.
const script = (name) => bundle(join(web, name, "script.ts"), "ts", { STYLE: JSON.stringify(bundle(join(web, name, "style.css"), "css")) });
const withScripts = ["shop"]; // pages that load such a script from the server they came from
const withMedia = ["desk"]; // pages that show what guests sent, from the storage where it is kept

function page(name) {
  const main = ["main.ts", "main.tsx"].map((f) => join(web, name, f)).find(existsSync);
  const script = bundle(main, "ts").replaceAll("</script", "<\\/script");
  const style = bundle(join(web, name, "style.css"), "css");
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}${withScripts.includes(name) ? " 'self'" : ""}`,
    `style-src ${hash(style)}`,
    `img-src 'self' data: blob:${withMedia.includes(name) ? " https:" : ""}`,
    `media-src 'self' data: blob:${withMedia.includes(name) ? " https:" : ""}`,
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
  ].join("; ");
  const parts = {
    "<!--policy-->": `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    "<!--style-->": `<style>${style}</style>`,
    "<!--script-->": `<script>${script}</script>`,
  };
  let html = readFileSync(join(web, name, "index.html"), "utf8").replaceAll(/<!--common\/([a-z]+)-->/g, (_, part) => readFileSync(join(web, "common", `${part}.html`), "utf8").trimEnd());
  for (const [mark, text] of Object.entries(parts)) {
    if (html.split(mark).length !== 2) throw new Error(`web/${name}/index.html must hold ${mark} once`);
    html = html.split(mark).join(text);
  }
  return html;
}

function cArray(identifier, bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 32) lines.push("    " + Array.from(bytes.subarray(i, i + 32)).join(",") + ",");
  return `static const unsigned char ${identifier}[] = {\n${lines.join("\n")}\n};\n`;
}

const names = readdirSync(web, { withFileTypes: true })
  .filter((e) => e.isDirectory())
  .map((e) => (existsSync(join(web, e.name, "index.html")) ? e.name : existsSync(join(web, e.name, "script.ts")) ? `${e.name}.js` : ""))
  .filter(Boolean)
  .sort();

const packFrom = 64 << 10; // larger pages are kept gzipped
let arrays = "";
let rows = "";
for (const name of names) {
  const html = name.endsWith(".js") ? script(name.slice(0, -3)) : page(name);
  const identifier = "page_" + name.replaceAll(/[^a-z0-9]/g, "_");
  const packed = html.length > packFrom || name.endsWith(".js");
  arrays += cArray(identifier, packed ? gzipSync(html, { level: 9 }) : Buffer.from(html));
  rows += `    { "${name}", ${identifier}, sizeof(${identifier}), ${packed} },\n`;
  if (dist) {
    mkdirSync(dist, { recursive: true });
    writeFileSync(join(dist, name.endsWith(".js") ? name : `${name}.html`), html);
  }
}
writeFileSync(
  out,
  `/* Made by web/build.mjs; do not edit. */\n#include "web/page.h"\n\nextern const struct page web_pages[];\n${arrays}\n` +
    `const struct page web_pages[] = {\n${rows}    { NULL, NULL, 0, false },\n};\n`,
);

if (depfile) {
  const read = [web]; // a folder's time changes when something comes or goes
  const gather = (folder) => {
    for (const e of readdirSync(folder, { withFileTypes: true }).filter((e) => !["node_modules", "dist"].includes(e.name))) {
      read.push(join(folder, e.name));
      if (e.isDirectory()) gather(join(folder, e.name));
    }
  };
  gather(web);
  writeFileSync(depfile, `${out}: ${read.map((f) => f.replaceAll(" ", "\\ ")).join(" ")}\n`);
}
