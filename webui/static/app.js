// What pages do beyond being read; each file below `app` is one such thing.
// Pages work without any of it; what is asked for here is what the server would have answered anyway.

import { sayBulk } from "./app/bulk.js";
import "./app/clicks.js";
import { $$, page, token } from "./app/dom.js";
import { begin } from "./app/forms.js";
import { markPlace, openMenu } from "./app/frame.js";
import "./app/keys.js";
import { catchUp, listen } from "./app/live.js";
import { readOperations } from "./app/operations.js";
import { enliven, settle } from "./app/settle.js";
import { toast } from "./app/toasts.js";

// A page is there, whether the browser loaded it or htmx put it in place of another.
function arrive() {
  markPlace();
  settle(document);
  enliven();
  const note = page()?.dataset.note;
  if (note) toast(note);
  if (page()) delete page().dataset.note;
  begin();
  sayBulk();
}

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF-Token"] = token(); });
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "dialog-body") settle(event.detail.target);
});
document.addEventListener("htmx:afterSwap", (event) => {
  // A page that was replaced as a whole is not the element that the event names.
  if (event.detail.requestConfig?.target?.id !== "page" && event.detail.target?.id !== "page") return;
  for (const dialog of $$("dialog[open]")) dialog.close();
  openMenu(false);
  arrive();
  catchUp();
  page()?.focus({ preventScroll: true });
});
document.addEventListener("htmx:sendError", () => toast("The appliance does not answer. It may be restarting; try again in a moment."));

arrive();
listen();
readOperations();
