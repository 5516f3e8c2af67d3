// Changes as they happen: one stream for all windows of a browser, and what each window reads again because of it.

import { $, page } from "./dom.js";
import { readList, readPage, readRow } from "./fresh.js";
import { readOperations } from "./operations.js";
import { toast } from "./toasts.js";
import * as told from "./told.js";

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
  if (rows.some(([table]) => table === "job")) readOperations();
}

function inList(uuid, how) {
  const row = document.getElementById(`row-${uuid}`);
  if (how !== "=") {
    if (how === "-") row?.classList.add("gone");
    readList();
  } else if (row) readRow(uuid);
  else if ($("#rows tbody tr:not([id])")) readList();
}

function everything() {
  if (page()?.dataset.table) readList();
  else if (page()?.dataset.watch || page()?.dataset.refresh) readPage();
  readOperations();
}

function sayLive(state) {
  const box = $("#live");
  if (!box) return;
  box.dataset.live = state;
  $(".live-text", box).textContent = state === "on" ? "Live" : "Reconnecting…";
}

const ON_HEARING = {
  rows: ({ at, rows }) => { if (told.add(at, rows)) changed(rows); },
  resync: ({ at }) => { told.begin(at); everything(); },
  state: sayLive,
  "signed-out": () => location.assign(`/ui/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`),
};

const hear = (kind, data) => ON_HEARING[kind]?.(data);

// A page has come that the server made at some moment: what has changed since is read again.
export function catchUp() {
  const at = page()?.dataset.at;
  const missed = at && told.after(at);
  if (missed) for (const [, rows] of missed) changed(rows);
  else everything();
}

// Reads the stream from where this window stands until the window goes, and tells of what comes.
function read(tell) {
  let away = false;
  const stream = new EventSource(`/ui/live?after=${told.upTo()}`);
  stream.addEventListener("hello", ({ lastEventId: at }) => {
    tell("state", "on");
    // What could not be read while the appliance was away is read now.
    if (away) tell("resync", { at });
    away = false;
  });
  stream.addEventListener("rows", ({ data, lastEventId: at }) => tell("rows", { at, rows: JSON.parse(data) }));
  stream.addEventListener("resync", ({ lastEventId: at }) => tell("resync", { at }));
  stream.addEventListener("signed-out", () => { stream.close(); tell("signed-out", null); });
  stream.onerror = () => { away = true; tell("state", "off"); };
  addEventListener("pagehide", () => stream.close());
  return new Promise(() => {});
}

// Whichever window holds the lock reads the stream and tells the others, which say how far they are when they come,
// and again when another window has begun to read.
function share() {
  const channel = new BroadcastChannel(NAME);
  const ask = () => channel.postMessage(["ask", told.upTo()]);
  let isReader = false;
  function answer(at) {
    if (!isReader) return;
    channel.postMessage(["state", $("#live")?.dataset.live ?? "off"]);
    const missed = told.after(at);
    if (!missed) channel.postMessage(["resync", { at: told.upTo() }]);
    else for (const [position, rows] of missed) channel.postMessage(["rows", { at: position, rows }]);
  }
  channel.onmessage = ({ data: [kind, data] }) => {
    if (kind === "ask") answer(data);
    else if (kind === "begun") ask();
    else hear(kind, data);
  };
  ask();
  navigator.locks.request(NAME, () => {
    isReader = true;
    channel.postMessage(["begun"]);
    return read((kind, data) => {
      hear(kind, data);
      channel.postMessage([kind, data]);
    });
  });
}

export function listen() {
  told.begin(page()?.dataset.at ?? "");
  if ("BroadcastChannel" in window && navigator.locks) share();
  else read(hear);
}
