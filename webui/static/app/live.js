// Changes as they happen: one stream for all windows of a browser, and what each window reads again because of it.

import { $, page } from "./dom.js";
import { readList, readPage, readRow } from "./fresh.js";
import { operationsChanged } from "./operations.js";
import { toast } from "./toasts.js";

const NAME = "zstack-live";

function changed(rows) {
  const here = page()?.dataset ?? {};
  for (const [table, uuid, how] of rows) {
    if (here.table === table) inList(uuid, how);
    if (here.watch !== `${table}/${uuid}`) continue;
    if (how === "-") toast("This has just been deleted.");
    else readPage();
  }
  if (here.refresh) readPage();
  if (rows.some(([table]) => table === "job")) operationsChanged();
}

function inList(uuid, how) {
  const row = document.getElementById(`row-${uuid}`);
  if (how === "=") {
    if (row) readRow(uuid);
    return;
  }
  if (how === "-") row?.classList.add("gone");
  readList();
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

const ON_HEARING = {
  rows: changed,
  resync: everything,
  state: sayLive,
  "signed-out": () => location.assign(`/ui/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`),
};

const hear = (kind, data) => ON_HEARING[kind]?.(data);

// Reads the stream until the window goes, and tells of what comes.
function read(tell) {
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
}

// Whichever window holds the lock reads the stream and tells the others.
export function listen() {
  if (!("BroadcastChannel" in window) || !navigator.locks) {
    read(hear);
    return;
  }
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = (event) => hear(...event.data);
  navigator.locks.request(NAME, () => read((kind, data) => {
    hear(kind, data);
    channel.postMessage([kind, data]);
  }));
  sayLive("on");
}
