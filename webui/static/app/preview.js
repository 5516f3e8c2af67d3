// One row beside its list.

import { $, $$ } from "./dom.js";
import { fill, part } from "./parts.js";

// The address of the row that is shown; empty when none is.
export function previewed() {
  const aside = $("#preview");
  return aside && !aside.hidden ? aside.dataset.url : "";
}

let wished = "";

// Show a row; an empty address shows none. Of several that are asked for in a row, the last one counts.
export async function preview(url) {
  const aside = $("#preview");
  if (!aside) return;
  wished = url;
  if (url) {
    const html = await part(url, "preview");
    if (wished !== url) return;
    fill(aside, html);
    aside.dataset.url = url;
  }
  aside.hidden = !url;
  $("#split").dataset.preview = url ? "open" : "";
  for (const row of $$("#rows tbody tr")) {
    if (url && row.dataset.href === url) row.setAttribute("aria-selected", "true");
    else row.removeAttribute("aria-selected");
  }
}
