// What stands around every page: the menu, and the looks that a browser remembers.

import { $, $$ } from "./dom.js";

const THEMES = ["auto", "light", "dark"];
const YEAR = 31536000;

export const isMenuOpen = () => $("#side")?.dataset.open === "true";

export function openMenu(open) {
  $("#side").dataset.open = String(open);
  $("[data-menu]").setAttribute("aria-expanded", String(open));
}

// The longest link that the address begins with is where we are.
export function markPlace() {
  const here = location.pathname;
  const fits = (path) => (path === "/ui/" ? here === "/ui/" : here === path || here.startsWith(`${path}/`));
  const path = (link) => link.getAttribute("href");
  const links = $$(".side-link");
  const [best] = links.filter((link) => fits(path(link))).sort((one, other) => path(other).length - path(one).length);
  for (const link of links) {
    if (link === best) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function keep(name, value) {
  document.cookie = `zstack-${name}=${value}; path=/ui; max-age=${YEAR}; samesite=strict`;
  document.documentElement.dataset[name] = value;
}

export function nextTheme() {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
  keep("theme", next);
  const button = $("[data-theme-switch]");
  button.title = `Theme: ${next}`;
  button.setAttribute("aria-label", button.title);
}

export const nextDensity = () => keep("density", document.documentElement.dataset.density === "compact" ? "roomy" : "compact");
