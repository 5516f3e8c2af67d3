// What clicks do beyond following links.

import { ticked, tickNone } from "./bulk.js";
import { closeDialogs, openDialog, openHelp } from "./dialogs.js";
import { $, $$ } from "./dom.js";
import { isMenuOpen, nextDensity, nextTheme, openMenu } from "./frame.js";
import { isDrawerOpen, openDrawer } from "./operations.js";
import { openPalette } from "./palette.js";
import { preview } from "./preview.js";
import { toast } from "./toasts.js";

const ON_CLICK = {
  "[data-close]": () => closeDialogs(),
  "[data-palette]": () => openPalette(),
  "[data-help]": () => openHelp(),
  "[data-theme-switch]": () => nextTheme(),
  "[data-density-switch]": () => nextDensity(),
  "[data-menu]": () => openMenu(!isMenuOpen()),
  "[data-drawer]": () => openDrawer(!isDrawerOpen()),
  "[data-preview-close]": () => preview(""),
  "[data-preview]": (button) => preview(button.dataset.preview),
  "[data-tick-none]": () => tickNone(),
  "[data-copy]": (button) => copy(button.closest(".code-head").nextElementSibling.textContent),
};

async function copy(text) {
  await navigator.clipboard?.writeText(text);
  toast(navigator.clipboard ? "Copied." : "This connection is not encrypted, so the browser lets nobody copy; mark the text instead.");
}

// Where a link into a dialog leads; a button of the bar for several rows names them.
function addressOf(link) {
  if (link.hasAttribute("href")) return link.getAttribute("href");
  return `${link.getAttribute("formaction")}?${ticked().map((box) => `uuid=${box.value}`).join("&")}`;
}

function intoDialog(event) {
  const link = event.target.closest("[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return false;
  event.preventDefault();
  event.stopImmediatePropagation();
  link.closest("details.menu")?.removeAttribute("open");
  openDialog(addressOf(link));
  return true;
}

document.addEventListener("click", (event) => {
  if (intoDialog(event)) return;
  for (const [selector, act] of Object.entries(ON_CLICK)) {
    const found = event.target.closest(selector);
    if (found) {
      act(found);
      return;
    }
  }
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.removeAttribute("open");
  if (isMenuOpen() && !$("#side").contains(event.target)) openMenu(false);
  if (event.target.matches("dialog")) closeDialogs();
}, true);
