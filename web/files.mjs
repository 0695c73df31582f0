// files.mjs - prints the source files of all pages, relative to web/, one a line: what meson watches.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(fileURLToPath(import.meta.url));
for (const folder of readdirSync(web, { withFileTypes: true }).filter((e) => e.isDirectory() && !["node_modules", "dist"].includes(e.name)))
  for (const file of readdirSync(join(web, folder.name)).filter((f) => /\.(html|ts|css|svg)$/.test(f))) console.log(`${folder.name}/${file}`);
