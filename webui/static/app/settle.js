// What every piece of a page needs once it is there: dates as the reader's clock has them, and scripts of its own.

import { $$, token } from "./dom.js";

export function settle(from) {
  for (const time of $$("time[datetime]", from)) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime()) || time.dataset.local) continue;
    const two = (number) => String(number).padStart(2, "0");
    time.textContent = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${two(moment.getHours())}:${two(moment.getMinutes())}`;
    time.title = moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    time.dataset.local = "yes";
  }
}

export async function enliven() {
  for (const each of $$("[data-module]:not([data-alive])")) {
    each.dataset.alive = "yes";
    const { begin } = await import(each.dataset.module);
    begin(each, { token });
  }
}
