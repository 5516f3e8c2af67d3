// A list that arrow keys go through while the focus stays in its field, as ARIA's combobox has it.

import { $, $$ } from "./dom.js";

export const chosen = (box) => $("[aria-selected=true]", box);

export function choose(box, step, input) {
  const all = $$("[role=option]", box);
  if (!all.length) return;
  const at = all.indexOf(chosen(box));
  const next = all[(Math.max(at, step < 0 ? 0 : -1) + step + all.length) % all.length];
  for (const each of all) each.setAttribute("aria-selected", String(each === next));
  next.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", next.id);
}

// An arrow key moves through the list; whether it was one.
export function arrowKey(event, box) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return false;
  event.preventDefault();
  choose(box, event.key === "ArrowDown" ? 1 : -1, event.target);
  return true;
}
