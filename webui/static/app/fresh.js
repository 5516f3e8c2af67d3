// The page as it is now: single rows, the whole list, or the whole page read again, with as little moved as can be.

import { sayBulk } from "./bulk.js";
import { $, $$, atMostEvery, later, page } from "./dom.js";
import { focusIn, refocus, released } from "./hands.js";
import { parsed, part } from "./parts.js";
import { preview, previewed } from "./preview.js";
import { settle } from "./settle.js";
import { swapPage } from "./swap.js";

const MOST = 50;
const pending = new Set();

const readRows = atMostEvery(20, async () => {
  const base = page()?.dataset.rows;
  const uuids = [...pending].slice(0, MOST);
  if (!base) pending.clear();
  for (const uuid of uuids) pending.delete(uuid);
  if (!base || !uuids.length) return;
  const box = document.createElement("template");
  box.innerHTML = await part(`${base}?${uuids.map((uuid) => `uuid=${uuid}`).join("&")}`, "rows");
  await released();
  for (const fresh of $$("tr", box.content)) {
    const old = document.getElementById(fresh.id);
    if (old) replaceRow(old, fresh);
  }
  if (pending.size) readRows();
});

export function readRow(uuid) {
  pending.add(uuid);
  readRows();
}

// The row that stands in the end: the old one where nothing has changed.
function replaceRow(old, fresh) {
  settle(fresh);
  if (old.innerHTML === fresh.innerHTML) return old;
  if ($("input[name=uuid]", old)?.checked) $("input[name=uuid]", fresh).checked = true;
  if (old.getAttribute("aria-selected")) fresh.setAttribute("aria-selected", "true");
  const focused = focusIn(old);
  fresh.classList.add("changed");
  old.replaceWith(fresh);
  htmx.process(fresh);
  refocus(fresh, focused);
  if (previewed() === fresh.dataset.href) preview(fresh.dataset.href);
  return fresh;
}

export const readList = atMostEvery(250, async () => {
  const here = location.href;
  const fresh = parsed(await part(here, "page"));
  await released();
  if (location.href !== here || !page()?.dataset.table) return;
  const rows = $("#rows tbody");
  const wanted = $("#rows tbody", fresh);
  if (!rows || !wanted) {
    swapPage(fresh);
    return;
  }
  const focused = focusIn(rows);
  const old = new Map($$("tr[id]", rows).map((row) => [row.id, row]));
  rows.replaceChildren(...$$("tr", wanted).map((row) => (old.has(row.id) ? replaceRow(old.get(row.id), row) : come(row))));
  htmx.process(rows);
  refocus(rows, focused);
  for (const selector of ["#count", ".pages"]) {
    const [from, to] = [$(selector, fresh), $(selector)];
    if (from && to) to.innerHTML = from.innerHTML;
  }
  sayBulk();
});

function come(row) {
  settle(row);
  row.classList.add("changed");
  return row;
}

// Whoever types, has a menu open, or is at a console, is not disturbed; the page is read once they have turned away.
const BUSY = "input, textarea, select, summary, iframe, canvas";
const TURNED_AWAY = 400;
let isBehind = false;

function isBusy() {
  const focused = document.activeElement;
  if (!page()?.contains(focused) || focused.closest("[data-keep]")) return false;
  return focused.matches(BUSY) || Boolean(focused.closest("details[open]"));
}

export const readPage = atMostEvery(200, async () => {
  const here = location.href;
  isBehind = isBusy();
  if (isBehind) return;
  const fresh = parsed(await part(here, "page"));
  await released();
  if (location.href !== here) return;
  isBehind = isBusy();
  if (!isBehind) swapPage(fresh);
});

// A little later, since the click that takes the focus away is still under way, and what it goes to must stay.
document.addEventListener("focusout", later(TURNED_AWAY, () => { if (isBehind) readPage(); }));
