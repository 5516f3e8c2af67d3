// What pages do beyond being read: keys, dialogs, completion, and rows that change as the cloud does.
// Pages work without any of it; what is asked for here is what the server would have answered anyway.
"use strict";

const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const page = () => $("#page");

// ---------- asking the server ----------

async function part(url, target, options = {}) {
  const headers = { "HX-Request": "true", "HX-Target": target, "HX-Current-URL": location.href, ...options.headers };
  const answer = await fetch(url, { credentials: "same-origin", ...options, headers });
  const elsewhere = answer.headers.get("hx-redirect");
  if (elsewhere) {
    location.assign(elsewhere);
    throw new Error("signed out");
  }
  return answer.text();
}

function later(wait, what) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => what(...given), wait);
  };
}

function atMostEvery(wait, what) {
  let last = 0;
  let timer = 0;
  return () => {
    clearTimeout(timer);
    const left = Math.max(0, last + wait - Date.now());
    timer = setTimeout(() => { last = Date.now(); what(); }, Math.max(left, 20));
  };
}

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

function fill(element, html) {
  element.innerHTML = html;
  htmx.process(element);
  settle(element);
}

// ---------- every page, once it is there ----------

function settle(from) {
  for (const time of $$("time[datetime]", from)) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime()) || time.dataset.local) continue;
    const two = (number) => String(number).padStart(2, "0");
    time.textContent = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${two(moment.getHours())}:${two(moment.getMinutes())}`;
    time.title = moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    time.dataset.local = "yes";
  }
}

function markPlace() {
  const links = $$(".side-link");
  const here = location.pathname;
  let best = null;
  for (const link of links) {
    const path = link.getAttribute("href");
    const fits = path === "/ui/" ? here === "/ui/" : here === path || here.startsWith(`${path}/`);
    if (fits && (!best || path.length > best.getAttribute("href").length)) best = link;
  }
  for (const link of links) {
    if (link === best) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Parts of a page that bring a script of their own.
async function enliven() {
  for (const each of $$("[data-module]:not([data-alive])")) {
    each.dataset.alive = "yes";
    const { begin } = await import(each.dataset.module);
    begin(each, { token });
  }
}

function arrive(focus) {
  markPlace();
  settle(document);
  enliven();
  const note = page()?.dataset.note;
  if (note) toast(note);
  if (page()) delete page().dataset.note;
  if (focus) page()?.focus({ preventScroll: true });
  if (focus) sayAgain($("[data-form]:has([data-placement])"));
  sayBulk();
}

function toast(text) {
  const made = document.createElement("div");
  made.className = "toast";
  made.dir = "auto";
  made.textContent = text;
  $("#toasts").append(made);
  setTimeout(() => made.remove(), 6000);
}

// ---------- dialogs, menus, switches ----------

let opener = null;

async function openDialog(url) {
  opener = document.activeElement;
  fill($("#dialog-body"), await part(url, "dialog-body"));
  const dialog = $("#dialog");
  if (!dialog.open) dialog.showModal();
  const first = $("#dialog-body [autofocus], #dialog-body .fields input:not([type=hidden]), #dialog-body .fields select, #dialog-body .form-acts .button");
  first?.focus();
}

function closeDialogs() {
  for (const dialog of $$("dialog[open]")) dialog.close();
  opener?.focus?.();
  opener = null;
}

function openMenu(open) {
  $("#side").dataset.open = String(open);
  $("[data-menu]").setAttribute("aria-expanded", String(open));
}

function keep(name, value) {
  document.cookie = `zstack-${name}=${value}; path=/ui; max-age=31536000; samesite=strict`;
  document.documentElement.dataset[name] = value;
}

function nextTheme() {
  const order = ["auto", "light", "dark"];
  const next = order[(order.indexOf(document.documentElement.dataset.theme) + 1) % order.length];
  keep("theme", next);
  const button = $("[data-theme-switch]");
  button.title = `Theme: ${next}`;
  button.setAttribute("aria-label", button.title);
}

async function preview(url) {
  const aside = $("#preview");
  if (!aside) return;
  if (!url) {
    aside.hidden = true;
    $("#split").dataset.preview = "";
    for (const row of $$("#rows tr[aria-selected]")) row.removeAttribute("aria-selected");
    return;
  }
  fill(aside, await part(url, "preview"));
  aside.hidden = false;
  aside.dataset.url = url;
  $("#split").dataset.preview = "open";
  for (const row of $$("#rows tbody tr")) {
    if (row.dataset.href === url) row.setAttribute("aria-selected", "true");
    else row.removeAttribute("aria-selected");
  }
}

// ---------- several rows at once ----------

const ticked = () => $$("#rows tbody input[name=uuid]:checked");

function sayBulk() {
  const bar = $("#bulk");
  if (!bar) return;
  const number = ticked().length;
  bar.hidden = number === 0;
  $("#bulk-number").textContent = String(number);
  const all = $("[data-tick-all]");
  if (all) {
    all.checked = number > 0 && number === $$("#rows tbody tr").length;
    all.indeterminate = number > 0 && !all.checked;
  }
}

// ---------- clicks ----------

const ON_CLICK = {
  "[data-close]": () => closeDialogs(),
  "[data-palette]": () => openPalette(),
  "[data-help]": () => { opener = document.activeElement; $("#help").showModal(); },
  "[data-theme-switch]": () => nextTheme(),
  "[data-density-switch]": () => keep("density", document.documentElement.dataset.density === "compact" ? "roomy" : "compact"),
  "[data-menu]": () => openMenu($("#side").dataset.open !== "true"),
  "[data-drawer]": () => openDrawer($("#drawer").dataset.open !== "true"),
  "[data-preview-close]": () => preview(""),
  "[data-preview]": (button) => preview(button.dataset.preview),
  "[data-tick-none]": () => { for (const box of ticked()) box.checked = false; sayBulk(); },
  "[data-copy]": (button) => {
    const text = button.closest(".code-head").nextElementSibling.textContent;
    navigator.clipboard?.writeText(text).then(() => toast("Copied."));
  },
};

document.addEventListener("click", (event) => {
  const dialogLink = event.target.closest("[data-dialog]");
  if (dialogLink && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    event.stopImmediatePropagation();
    let url = dialogLink.getAttribute("href") || dialogLink.getAttribute("formaction");
    if (!dialogLink.hasAttribute("href")) url += `?${ticked().map((box) => `uuid=${box.value}`).join("&")}`;
    dialogLink.closest("details.menu")?.removeAttribute("open");
    openDialog(url);
    return;
  }
  for (const [selector, act] of Object.entries(ON_CLICK)) {
    const found = event.target.closest(selector);
    if (found) {
      act(found);
      return;
    }
  }
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.removeAttribute("open");
  if ($("#side")?.dataset.open === "true" && !event.target.closest("#side")) openMenu(false);
  if (event.target.matches("dialog")) closeDialogs();
}, true);

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]")) {
    for (const box of $$("#rows tbody input[name=uuid]")) box.checked = event.target.checked;
  }
  sayBulk();
  sayAgain(event.target.closest("[data-form]"));
});
document.addEventListener("input", (event) => sayAgain(event.target.closest("[data-form]")));

// ---------- what a form would be elsewhere, and where a VM would go ----------

const sayAgain = later(250, async (form) => {
  if (!form) return;
  const body = new URLSearchParams(new FormData(form));
  const said = $("[data-said]", form);
  const post = { method: "POST", body, headers: { "X-CSRF-Token": token() } };
  if (said?.open) $(".said-body", said).innerHTML = await part(said.dataset.said, "said", post);
  const place = $("[data-placement]", form);
  if (place) place.innerHTML = await part(place.dataset.placement, "placement", post);
});
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("[data-said]") && event.target.open) sayAgain(event.target.closest("[data-form]"));
}, true);

const token = () => $("meta[name=csrf]")?.content ?? "";

// ---------- the filter ----------

const filter = () => $("#filter");

function chosen(box) {
  return $("[aria-selected=true]", box);
}

function choose(box, step, input) {
  const all = $$("[role=option]", box);
  if (!all.length) return;
  const at = all.indexOf(chosen(box));
  const next = all[(at + step + all.length) % all.length];
  for (const each of all) each.setAttribute("aria-selected", String(each === next));
  next.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", next.id);
}

const offer = later(90, async () => {
  const input = filter();
  const box = $("#completions");
  if (!input || document.activeElement !== input) return;
  box.innerHTML = await part(`${input.dataset.complete}?typed=${encodeURIComponent(input.value)}`, "completions");
  const any = box.childElementCount > 0;
  box.hidden = !any;
  input.setAttribute("aria-expanded", String(any));
});

function shutOffers() {
  const box = $("#completions");
  if (!box) return;
  box.hidden = true;
  filter().setAttribute("aria-expanded", "false");
  filter().removeAttribute("aria-activedescendant");
}

function take(option) {
  filter().value = option.dataset.text;
  filter().focus();
  offer();
}

document.addEventListener("input", (event) => { if (event.target === filter()) offer(); });
document.addEventListener("focusin", (event) => { if (event.target === filter()) offer(); });
document.addEventListener("focusout", (event) => { if (event.target === filter()) setTimeout(shutOffers, 150); });
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest(".offer");
  if (option) {
    event.preventDefault();
    take(option);
  }
});

function filterKey(event) {
  const box = $("#completions");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose(box, event.key === "ArrowDown" ? 1 : -1, filter());
  } else if ((event.key === "Enter" || event.key === "Tab") && !box.hidden && chosen(box)) {
    event.preventDefault();
    take(chosen(box));
  } else if (event.key === "Backspace" && filter().value === "") {
    $(".filter .chip:last-of-type a")?.click();
  } else if (event.key === "Escape") {
    if (!box.hidden) shutOffers();
    else filter().blur();
  }
}

// ---------- the palette ----------

function openPalette() {
  opener = document.activeElement;
  $("#palette").showModal();
  $("#palette-input").value = "";
  $("#palette-input").focus();
  find();
}

const find = later(60, async () => {
  const typed = $("#palette-input").value;
  const html = await part(`/ui/palette?typed=${encodeURIComponent(typed)}`, "palette-hits");
  if ($("#palette-input").value === typed) fill($("#palette-hits"), html);
});

document.addEventListener("input", (event) => { if (event.target.id === "palette-input") find(); });

function paletteKey(event) {
  const box = $("#palette-hits");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose(box, event.key === "ArrowDown" ? 1 : -1, $("#palette-input"));
  } else if (event.key === "Enter" && chosen(box)) {
    event.preventDefault();
    const hit = chosen(box);
    $("#palette").close();
    hit.click();
  }
}
document.addEventListener("click", (event) => { if (event.target.closest(".hit")) $("#palette").close(); });

// ---------- operations ----------

async function openDrawer(open) {
  $("#drawer").dataset.open = String(open);
  $("[data-drawer]").setAttribute("aria-expanded", String(open));
  if (open) await readOperations();
}

async function readOperations() {
  const box = $("#operations");
  if (!box) return;
  const html = await part(`/ui/operations?open=${$("details[open]", box)?.dataset.operation ?? ""}`, "operations");
  // What somebody opened or closed in the meantime counts.
  const was = new Map($$("details[data-operation]", box).map((each) => [each.dataset.operation, each.open]));
  const top = box.scrollTop;
  fill(box, html);
  for (const each of $$("details[data-operation]", box)) each.open = was.get(each.dataset.operation) ?? each.open;
  box.scrollTop = top;
  const list = $(".operations", box);
  const running = Number(list.dataset.running);
  const failed = list.dataset.latestState === "Failed" ? `${list.dataset.latest} failed` : "";
  $("#drawer-now").textContent = running > 1 ? `${running} running` : running ? `${list.dataset.latest}…` : failed;
  $("#drawer").dataset.running = String(running);
}
const operationsChanged = atMostEvery(300, () => readOperations());

document.addEventListener("toggle", async (event) => {
  const one = event.target;
  if (one.matches?.("details[data-operation]") && one.open && !$(".steps, .notice", one)) {
    const found = parsed(await part(`/ui/operations?open=${one.dataset.operation}`, "operations"));
    const same = $(`details[data-operation="${one.dataset.operation}"]`, found);
    if (same) one.append(...[...same.children].slice(1));
  }
}, true);

// ---------- changes as they happen ----------

const pending = new Set();

const readRows = later(20, async () => {
  const base = page()?.dataset.rows;
  const uuids = [...pending].splice(0, 50);
  pending.clear();
  if (!base || !uuids.length) return;
  const box = document.createElement("template");
  box.innerHTML = await part(`${base}?${uuids.map((uuid) => `uuid=${uuid}`).join("&")}`, "rows");
  for (const fresh of $$("tr", box.content)) {
    const old = document.getElementById(fresh.id);
    if (old) replaceRow(old, fresh);
  }
});

function replaceRow(old, fresh) {
  settle(fresh);
  if (old.innerHTML === fresh.innerHTML) return;
  const box = $("input[name=uuid]", old);
  if (box?.checked) $("input[name=uuid]", fresh).checked = true;
  const had = old === document.activeElement;
  if (old.getAttribute("aria-selected")) fresh.setAttribute("aria-selected", "true");
  fresh.classList.add("changed");
  old.replaceWith(fresh);
  htmx.process(fresh);
  if (had) fresh.focus({ preventScroll: true });
  if ($("#preview")?.dataset.url === fresh.dataset.href && !$("#preview").hidden) preview(fresh.dataset.href);
}

const readList = atMostEvery(250, async () => {
  const here = location.href;
  const fresh = parsed(await part(here, "page"));
  if (location.href !== here || !page()?.dataset.table) return;
  const rows = $("#rows tbody");
  const wanted = $("#rows tbody", fresh);
  if (!rows || !wanted) {
    swapPage(fresh);
    return;
  }
  const old = new Map($$("tr", rows).map((row) => [row.id, row]));
  const next = $$("tr", wanted).map((row) => {
    const same = old.get(row.id);
    if (!same) {
      settle(row);
      row.classList.add("changed");
      return row;
    }
    return same;
  });
  rows.replaceChildren(...next);
  htmx.process(rows);
  for (const selector of ["#count", ".pages"]) {
    const [from, to] = [$(selector, fresh), $(selector)];
    if (from && to) to.innerHTML = from.innerHTML;
  }
  sayBulk();
});

const readPage = atMostEvery(200, async () => {
  const here = location.href;
  const busy = document.activeElement;
  const kept = busy?.closest("[data-keep]");
  if (page()?.contains(busy) && !kept && busy.matches("input, textarea, select, summary, iframe, canvas")) return;
  const fresh = parsed(await part(here, "page"));
  if (location.href === here) swapPage(fresh);
});

function swapPage(fresh) {
  const next = $("#page", fresh);
  if (!next) return;
  const open = $$("details[open]", page()).map((each) => $$("details", page()).indexOf(each));
  const kept = $(":scope > [data-keep]", page());
  const same = kept && $(`:scope > #${kept.id}`, next);
  if (same) swapAround(kept, same);
  else page().replaceChildren(...next.childNodes);
  for (const [name, value] of Object.entries(next.dataset)) if (name !== "note") page().dataset[name] = value;
  for (const index of open) $$("details", page())[index]?.setAttribute("open", "");
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

function changed(rows) {
  const here = page()?.dataset ?? {};
  let operations = false;
  for (const [table, uuid, how] of rows) {
    operations ||= table === "job" || table === "flow_run";
    if (here.table === table) {
      const row = document.getElementById(`row-${uuid}`);
      if (how === "=" && row) {
        pending.add(uuid);
        readRows();
      } else if (how === "-" && row) {
        row.classList.add("gone");
        readList();
      } else if (how !== "=") {
        readList();
      }
    }
    if (here.watch === `${table}/${uuid}` || (here.watch?.startsWith("job/") && table === "flow_run")) {
      if (how === "-" && here.watch === `${table}/${uuid}`) toast("This has just been deleted.");
      else readPage();
    }
  }
  if (here.refresh) readPage();
  if (operations) operationsChanged();
}

function everything() {
  if (page()?.dataset.table) readList();
  else if (page()?.dataset.watch || page()?.dataset.refresh) readPage();
  operationsChanged();
}

function sayLive(state) {
  const box = $("#live");
  if (!box) return;
  box.dataset.live = state;
  $(".live-text", box).textContent = state === "on" ? "Live" : "Reconnecting…";
}

function hear(kind, data) {
  if (kind === "rows") changed(data);
  else if (kind === "resync") everything();
  else if (kind === "state") sayLive(data);
  else if (kind === "signed-out") location.assign(`/ui/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// One stream for all windows of a browser: whoever holds the lock reads it and tells the others.
function listen() {
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("zstack-live") : null;
  const tell = (kind, data) => {
    hear(kind, data);
    channel?.postMessage([kind, data]);
  };
  if (channel) channel.onmessage = (event) => hear(...event.data);
  const read = () => {
    let away = false;
    const stream = new EventSource("/ui/live");
    stream.addEventListener("hello", () => {
      tell("state", "on");
      if (away) tell("resync", null);
      away = false;
    });
    stream.addEventListener("rows", (event) => tell("rows", JSON.parse(event.data)));
    stream.addEventListener("resync", () => tell("resync", null));
    stream.addEventListener("signed-out", () => { stream.close(); tell("signed-out", null); });
    stream.onerror = () => { away = true; tell("state", "off"); };
    addEventListener("pagehide", () => stream.close());
    return new Promise(() => {});
  };
  if (channel && navigator.locks) {
    channel.postMessage(["asked", null]);
    navigator.locks.request("zstack-live", read);
    sayLive("on");
  } else {
    read();
  }
}

// ---------- keys ----------

let goes = false;

function rowStep(step) {
  const rows = $$("#rows tbody tr");
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest("tr"));
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const row = () => document.activeElement?.closest?.("#rows tbody tr");

const ON_KEY = {
  "/": () => filter()?.focus(),
  "?": () => { opener = document.activeElement; $("#help").showModal(); },
  c: () => $("[data-create]")?.click(),
  j: () => rowStep(1),
  k: () => rowStep(-1),
  o: () => openDrawer($("#drawer").dataset.open !== "true"),
  p: () => { if (row()) preview($("#preview").hidden || $("#preview").dataset.url !== row().dataset.href ? row().dataset.href : ""); },
  x: () => { const box = row() && $("input[name=uuid]", row()); if (box) { box.checked = !box.checked; sayBulk(); } },
};

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if ($("#palette").open) $("#palette").close();
    else { closeDialogs(); openPalette(); }
    return;
  }
  if (event.target === filter()) return filterKey(event);
  if (event.target.id === "palette-input") return paletteKey(event);
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (event.target.matches("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable], canvas, .xterm *")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Escape") {
    const menu = $("details.menu[open]");
    if (menu) { menu.removeAttribute("open"); $("summary", menu).focus(); }
    else if ($("#side").dataset.open === "true") openMenu(false);
    else if ($("#preview") && !$("#preview").hidden) preview("");
    else if ($("#drawer").dataset.open === "true") openDrawer(false);
    return;
  }
  if (event.key === "Enter" && document.activeElement?.matches("#rows tbody tr")) {
    $("th a", document.activeElement).click();
    return;
  }
  if (goes) {
    goes = false;
    const link = $$("[data-go]").find((each) => each.dataset.go === event.key);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  if (event.key === "g") {
    goes = true;
    setTimeout(() => { goes = false; }, 1200);
    return;
  }
  const act = ON_KEY[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// ---------- htmx ----------

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF-Token"] = token(); });
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "dialog-body") settle(event.detail.target);
});
document.addEventListener("htmx:afterSwap", (event) => {
  // A page that was replaced as a whole is not the element that the event names.
  if (event.detail.requestConfig?.target?.id === "page" || event.detail.target?.id === "page") {
    for (const dialog of $$("dialog[open]")) dialog.close();
    openMenu(false);
    arrive(true);
  }
});
document.addEventListener("htmx:sendError", () => toast("The appliance does not answer. It may be restarting; try again in a moment."));
document.addEventListener("close", (event) => {
  if (event.target.id === "dialog") $("#dialog-body").replaceChildren();
}, true);

for (const form of $$("[data-form]")) if ($("[data-placement]", form)) sayAgain(form);
arrive(false);
listen();
readOperations();
