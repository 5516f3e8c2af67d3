// Several rows at once: which are ticked, and the bar that says what can be done to them.

import { $, $$ } from "./dom.js";

export const ticked = () => $$("#rows tbody input[name=uuid]:checked");

export function sayBulk() {
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

export function tickNone() {
  for (const box of ticked()) box.checked = false;
  sayBulk();
}

export function tickOther(row) {
  const box = row && $("input[name=uuid]", row);
  if (!box) return;
  box.checked = !box.checked;
  sayBulk();
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]")) {
    for (const box of $$("#rows tbody input[name=uuid]")) box.checked = event.target.checked;
  }
  sayBulk();
});
