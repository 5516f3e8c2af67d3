// The drawer with the latest operations and their steps.

import { $, $$, atMostEvery } from "./dom.js";
import { focusIn, refocus, released } from "./hands.js";
import { fill, parsed, part } from "./parts.js";

export const isDrawerOpen = () => $("#drawer").dataset.open === "true";

export function openDrawer(open) {
  $("#drawer").dataset.open = String(open);
  $("[data-drawer]").setAttribute("aria-expanded", String(open));
  if (open) readOperations();
}

let shown = "";

export const readOperations = atMostEvery(300, async () => {
  const box = $("#operations");
  if (!box) return;
  const open = $$("details[open]", box).map((each) => `open=${each.dataset.operation}`);
  const html = await part(`/ui/operations?${open.join("&")}`, "operations");
  await released();
  // A click is lost if what it goes to is replaced under it, so nothing is without need.
  if (html === shown) return;
  shown = html;
  // What somebody opened or closed in the meantime counts.
  const was = new Map($$("details[data-operation]", box).map((each) => [each.dataset.operation, each.open]));
  const top = box.scrollTop;
  const focused = focusIn(box);
  fill(box, html);
  for (const each of $$("details[data-operation]", box)) each.open = was.get(each.dataset.operation) ?? each.open;
  box.scrollTop = top;
  refocus(box, focused);
  sayNow($(".operations", box).dataset);
});

function sayNow({ running, latest, latestState }) {
  const number = Number(running);
  const failed = latestState === "Failed" ? `${latest} failed` : "";
  $("#drawer-now").textContent = number > 1 ? `${number} running` : number ? `${latest}…` : failed;
  $("#drawer").dataset.running = running;
}

// What was opened while it had nothing to show is asked for its steps.
document.addEventListener("toggle", async (event) => {
  const one = event.target;
  if (!one.matches?.("details[data-operation]") || !one.open || one.childElementCount > 1) return;
  const found = parsed(await part(`/ui/operations?open=${one.dataset.operation}`, "operations"));
  const same = $(`details[data-operation="${one.dataset.operation}"]`, found);
  if (same && one.childElementCount === 1) one.append(...[...same.children].slice(1));
}, true);
