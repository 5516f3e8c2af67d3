// Dialogs above the page. Whatever had the focus before has it again afterwards.

import { $, $$ } from "./dom.js";
import { fill, part } from "./parts.js";

const FIRST = "#dialog-body [autofocus], #dialog-body .fields input:not([type=hidden]), #dialog-body .fields select, #dialog-body .form-acts .button";

let opener = null;

export function show(dialog) {
  opener = document.activeElement;
  if (!dialog.open) dialog.showModal();
}

export async function openDialog(url) {
  opener = document.activeElement;
  fill($("#dialog-body"), await part(url, "dialog-body"));
  const dialog = $("#dialog");
  if (!dialog.open) dialog.showModal();
  $(FIRST)?.focus();
}

export function closeDialogs() {
  for (const dialog of $$("dialog[open]")) dialog.close();
  opener?.focus?.();
  opener = null;
}

export const openHelp = () => show($("#help"));

document.addEventListener("close", (event) => {
  if (event.target.id === "dialog") $("#dialog-body").replaceChildren();
}, true);
