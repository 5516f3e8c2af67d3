// A word about what has just happened, which goes by itself.

import { $ } from "./dom.js";

const SHOWN_FOR = 6000;

export function toast(text) {
  const made = document.createElement("div");
  made.className = "toast";
  made.dir = "auto";
  made.textContent = text;
  $("#toasts").append(made);
  setTimeout(() => made.remove(), SHOWN_FOR);
}
