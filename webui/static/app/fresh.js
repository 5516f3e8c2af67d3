// The page as it is now: single rows, the whole list, or the whole page read again, with as little moved as can be.

import { sayBulk } from "./bulk.js";
import { $, $$, atMostEvery, later, page } from "./dom.js";
import { parsed, part } from "./parts.js";
import { preview, previewed } from "./preview.js";
import { enliven, settle } from "./settle.js";

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
  const had = old === document.activeElement;
  fresh.classList.add("changed");
  old.replaceWith(fresh);
  htmx.process(fresh);
  if (had) fresh.focus({ preventScroll: true });
  if (previewed() === fresh.dataset.href) preview(fresh.dataset.href);
  return fresh;
}

export const readList = atMostEvery(250, async () => {
  const here = location.href;
  const fresh = parsed(await part(here, "page"));
  if (location.href !== here || !page()?.dataset.table) return;
  const rows = $("#rows tbody");
  const wanted = $("#rows tbody", fresh);
  if (!rows || !wanted) {
    swapPage(fresh);
    return;
  }
  const old = new Map($$("tr[id]", rows).map((row) => [row.id, row]));
  rows.replaceChildren(...$$("tr", wanted).map((row) => (old.has(row.id) ? replaceRow(old.get(row.id), row) : come(row))));
  htmx.process(rows);
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

// Whoever types, or is at a console, is not disturbed; the page is read once they have turned away.
const BUSY = "input, textarea, select, summary, iframe, canvas";
const TURNED_AWAY = 400;
let isBehind = false;

export const readPage = atMostEvery(200, async () => {
  const here = location.href;
  const focused = document.activeElement;
  isBehind = Boolean(page()?.contains(focused) && !focused.closest("[data-keep]") && focused.matches(BUSY));
  if (isBehind) return;
  const fresh = parsed(await part(here, "page"));
  if (location.href === here) swapPage(fresh);
});

// A little later, since the click that takes the focus away is still under way, and what it goes to must stay.
document.addEventListener("focusout", later(TURNED_AWAY, () => { if (isBehind) readPage(); }));

const TYPED = "input[type=text], input:not([type])";

function swapPage(fresh) {
  const next = $("#page", fresh);
  if (!next) return;
  const open = $$("details", page()).map((each) => each.open);
  const typed = new Map($$(TYPED, page()).filter((each) => each.value !== each.defaultValue).map((each) => [each.name, each.value]));
  const kept = $(":scope > [data-keep]", page());
  const same = kept && $(`:scope > #${kept.id}`, next);
  if (same) swapAround(kept, same);
  else page().replaceChildren(...next.childNodes);
  for (const [name, value] of Object.entries(next.dataset)) if (name !== "note") page().dataset[name] = value;
  $$("details", page()).forEach((each, index) => { if (open[index]) each.open = true; });
  for (const each of $$(TYPED, page())) each.value = typed.get(each.name) ?? each.value;
  htmx.process(page());
  settle(page());
  enliven();
  sayBulk();
}

// What is kept is not moved either, since that would take the focus and the full screen from it.
function swapAround(kept, same) {
  const [fresh, old] = [same, kept].map((each) => [...each.parentNode.childNodes]);
  const at = fresh.indexOf(same);
  for (const each of old) if (each !== kept) each.remove();
  kept.before(...fresh.slice(0, at));
  kept.after(...fresh.slice(at + 1));
  kept.dispatchEvent(new CustomEvent("fresh", { detail: same }));
}
