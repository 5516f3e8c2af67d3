// One field that leads everywhere.

import { $, later } from "./dom.js";
import { closeDialogs, show } from "./dialogs.js";
import { arrowKey, chosen } from "./listbox.js";
import { fill, part } from "./parts.js";

const find = later(60, async () => {
  const typed = $("#palette-input").value;
  const html = await part(`/ui/palette?typed=${encodeURIComponent(typed)}`, "palette-hits");
  if ($("#palette-input").value === typed) fill($("#palette-hits"), html);
});

export function openPalette() {
  show($("#palette"));
  $("#palette-input").value = "";
  $("#palette-input").focus();
  find();
}

export function turnPalette() {
  if ($("#palette").open) {
    $("#palette").close();
    return;
  }
  closeDialogs();
  openPalette();
}

export const isPalette = (element) => element.id === "palette-input";

export function paletteKey(event) {
  const box = $("#palette-hits");
  if (arrowKey(event, box) || event.key !== "Enter" || !chosen(box)) return;
  event.preventDefault();
  const hit = chosen(box);
  $("#palette").close();
  hit.click();
}

document.addEventListener("input", (event) => { if (isPalette(event.target)) find(); });
document.addEventListener("click", (event) => { if (event.target.closest(".hit")) $("#palette").close(); });
