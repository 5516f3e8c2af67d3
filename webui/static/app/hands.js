// What somebody has under the finger or under the keys while a page changes by itself.

import { $$ } from "./dom.js";

const LONGEST_PRESS = 2000;
let press = null;

// A click is lost if what it goes to is replaced between its press and its release.
export const released = () => press;

addEventListener("pointerdown", () => {
  const mine = new Promise((done) => {
    const end = () => setTimeout(done);
    for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, end, { once: true, capture: true });
    setTimeout(end, LONGEST_PRESS);
  });
  press = mine;
  mine.then(() => { if (press === mine) press = null; });
}, true);

const nameOf = (element) => element.id || [element.tagName, element.getAttribute("href"), element.name, element.textContent.trim()].join(" ");

// What has the focus, by what it is called; nothing if that is elsewhere.
export function focusIn(root) {
  const focused = document.activeElement;
  return root.contains(focused) ? nameOf(focused) : "";
}

// The focus goes to what is called so now, unless it is somewhere already.
export function refocus(root, name) {
  if (!name || root.contains(document.activeElement)) return;
  const found = [root, ...$$("a, button, input, select, summary, tr", root)].find((each) => nameOf(each) === name);
  (found ?? root).focus({ preventScroll: true });
}
