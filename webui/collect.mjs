// Copies what pages need out of node_modules into vendor/, and nothing else: that folder is what is served.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const files = {
  "htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
  "novnc/core": "@novnc/novnc/core",
  "novnc/vendor": "@novnc/novnc/vendor",
  "uplot/uplot.min.js": "uplot/dist/uPlot.iife.min.js",
  "uplot/uplot.min.css": "uplot/dist/uPlot.min.css",
  "xterm/xterm.mjs": "@xterm/xterm/lib/xterm.mjs",
  "xterm/xterm.css": "@xterm/xterm/css/xterm.css",
  "xterm/addon-fit.mjs": "@xterm/addon-fit/lib/addon-fit.mjs",
};

const vendor = join(here, "vendor");
rmSync(vendor, { recursive: true, force: true });
for (const [to, from] of Object.entries(files)) {
  mkdirSync(dirname(join(vendor, to)), { recursive: true });
  cpSync(join(here, "node_modules", from), join(vendor, to), { recursive: true });
}
writeFileSync(join(vendor, ".complete"), "");
