// The filter of a list, and how what was typed there may go on.

import { $, later } from "./dom.js";
import { arrowKey, chosen } from "./listbox.js";
import { part } from "./parts.js";

export const filter = () => $("#filter");

const offer = later(90, async () => {
  const input = filter();
  const box = $("#completions");
  if (!input || document.activeElement !== input) return;
  const typed = input.value;
  const html = await part(`${input.dataset.complete}?typed=${encodeURIComponent(typed)}`, "completions");
  if (document.activeElement !== input || input.value !== typed) return;
  box.innerHTML = html;
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

export function filterKey(event) {
  const box = $("#completions");
  if (arrowKey(event, box)) return;
  if ((event.key === "Enter" || event.key === "Tab") && !box.hidden && chosen(box)) {
    event.preventDefault();
    take(chosen(box));
  } else if (event.key === "Backspace" && filter().value === "") {
    $(".filter .chip:last-of-type a")?.click();
  } else if (event.key === "Escape") {
    if (!box.hidden) shutOffers();
    else filter().blur();
  }
}

for (const kind of ["input", "focusin"]) {
  document.addEventListener(kind, (event) => { if (event.target === filter()) offer(); });
}
document.addEventListener("focusout", (event) => { if (event.target === filter()) setTimeout(shutOffers, 150); });
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest(".offer");
  if (option) {
    event.preventDefault();
    take(option);
  }
});
