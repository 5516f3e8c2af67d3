// What everything else stands on: finding elements, and doing things a little later.

export const $ = (selector, from = document) => from.querySelector(selector);
export const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

export const page = () => $("#page");

// What a script must repeat with everything that it sends; see `security.py`.
export const token = () => $("meta[name=csrf]")?.content ?? "";

// Once, when nobody has asked again for a while.
export function later(wait, what) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => what(...given), wait);
  };
}

// At once, and then no more often than this; the last one asked for is always done.
export function atMostEvery(wait, what) {
  let last = 0;
  let timer = 0;
  return () => {
    clearTimeout(timer);
    const left = Math.max(0, last + wait - Date.now());
    timer = setTimeout(() => { last = Date.now(); what(); }, Math.max(left, 20));
  };
}
