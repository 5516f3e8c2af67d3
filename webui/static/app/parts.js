// Parts of pages: asked for, and put where they belong.

import { settle } from "./settle.js";

// What the server answers for one place in the page; `target` is the id of that place.
export async function part(url, target, options = {}) {
  const headers = { "HX-Request": "true", "HX-Target": target, "HX-Current-URL": location.href, ...options.headers };
  const answer = await fetch(url, { credentials: "same-origin", ...options, headers });
  const elsewhere = answer.headers.get("hx-redirect");
  if (elsewhere) {
    location.assign(elsewhere);
    throw new Error("signed out");
  }
  return answer.text();
}

export const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

export function fill(element, html) {
  element.innerHTML = html;
  htmx.process(element);
  settle(element);
}
