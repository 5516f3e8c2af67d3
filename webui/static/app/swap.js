// A page in place of an older one of the same address, with what somebody was doing on it kept.

import { sayBulk } from "./bulk.js";
import { $, $$, page } from "./dom.js";
import { focusIn, refocus } from "./hands.js";
import { enliven, settle } from "./settle.js";

const TYPED = "input[type=text], input:not([type])";

export function swapPage(fresh) {
  const next = $("#page", fresh);
  if (!next) return;
  const focused = focusIn(page());
  const open = $$("details", page()).map((each) => each.open);
  const typed = new Map($$(TYPED, page()).filter((each) => each.value !== each.defaultValue).map((each) => [each.name, each.value]));
  const kept = $(":scope > [data-keep]", page());
  const same = kept && $(`:scope > #${kept.id}`, next);
  if (same) swapAround(kept, same);
  else page().replaceChildren(...next.childNodes);
  for (const [name, value] of Object.entries(next.dataset)) if (name !== "note") page().dataset[name] = value;
  $$("details", page()).forEach((each, index) => { if (open[index]) each.open = true; });
  for (const each of $$(TYPED, page())) each.value = typed.get(each.name) ?? each.value;
  refocus(page(), focused);
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
