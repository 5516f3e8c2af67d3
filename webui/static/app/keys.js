// Keys: everything that a list needs, and ways to everywhere; the help dialog in `layout.html` lists them.

import { tickOther } from "./bulk.js";
import { openHelp } from "./dialogs.js";
import { $, $$ } from "./dom.js";
import { filter, filterKey } from "./filter.js";
import { isMenuOpen, openMenu } from "./frame.js";
import { isDrawerOpen, openDrawer } from "./operations.js";
import { isPalette, paletteKey, turnPalette } from "./palette.js";
import { preview, previewed } from "./preview.js";

const TYPED_INTO = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable], canvas, .xterm *";
const GO_WITHIN = 1200;

const row = () => document.activeElement?.closest?.("#rows tbody tr");

function rowStep(step) {
  const rows = $$("#rows tbody tr");
  if (!rows.length) return;
  const next = rows[Math.min(Math.max(rows.indexOf(row()) + step, 0), rows.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function turnPreview() {
  if (row()) preview(previewed() === row().dataset.href ? "" : row().dataset.href);
}

const ON_KEY = {
  "/": () => filter()?.focus(),
  "?": () => openHelp(),
  c: () => $("[data-create]")?.click(),
  g: () => beginGoing(),
  j: () => rowStep(1),
  k: () => rowStep(-1),
  o: () => openDrawer(!isDrawerOpen()),
  p: () => turnPreview(),
  x: () => tickOther(row()),
};

let goes = false;

function beginGoing() {
  goes = true;
  setTimeout(() => { goes = false; }, GO_WITHIN);
}

function go(event) {
  goes = false;
  const link = $$("[data-go]").find((each) => each.dataset.go === event.key);
  if (!link) return;
  event.preventDefault();
  link.click();
}

// What lies on top goes first.
function escape() {
  const menu = $("details.menu[open]");
  if (menu) {
    menu.removeAttribute("open");
    $("summary", menu).focus();
  } else if (isMenuOpen()) openMenu(false);
  else if (previewed()) preview("");
  else if (isDrawerOpen()) openDrawer(false);
}

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k") {
    event.preventDefault();
    turnPalette();
  } else if (target === filter()) filterKey(event);
  else if (isPalette(target)) paletteKey(event);
  else if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  else if (target.matches(TYPED_INTO)) {
    if (key === "Escape") target.blur();
  } else if (key === "Escape") escape();
  else if (key === "Enter" && document.activeElement?.matches("#rows tbody tr")) $("th a", document.activeElement).click();
  else if (goes) go(event);
  else if (Object.hasOwn(ON_KEY, key)) {
    event.preventDefault();
    ON_KEY[key]();
  }
});
