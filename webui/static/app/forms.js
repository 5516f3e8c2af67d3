// What a form says while it is filled in: the same as a command, and where a VM would go.

import { $, $$, atMostEvery, later, token } from "./dom.js";
import { part } from "./parts.js";

let wanted = null;

const say = atMostEvery(0, async () => {
  const form = wanted;
  if (!form?.isConnected) return;
  const body = new URLSearchParams(new FormData(form));
  const said = $("[data-said]", form);
  const post = { method: "POST", body, headers: { "X-CSRF-Token": token() } };
  if (said?.open) $(".said-body", said).innerHTML = await part(said.dataset.said, "said", post);
  const place = $("[data-placement]", form);
  if (place) placed(place, await part(place.dataset.placement, "placement", post));
});

const sayAgain = later(250, (form) => {
  if (!form) return;
  wanted = form;
  say();
});

// Whoever has opened or closed the hosts finds them so afterwards.
function placed(place, html) {
  const was = $("details", place)?.open;
  const said = place.dataset.chosen;
  place.innerHTML = html;
  const now = $("details", place);
  place.dataset.chosen = String(Boolean(now?.open));
  if (now && was !== undefined && said === place.dataset.chosen) now.open = was;
}

// Forms that say something before anybody has touched them.
export function begin() {
  for (const form of $$("[data-form]:has([data-placement])")) sayAgain(form);
}

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => sayAgain(event.target.closest("[data-form]")));
}
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("[data-said]") && event.target.open) sayAgain(event.target.closest("[data-form]"));
}, true);
