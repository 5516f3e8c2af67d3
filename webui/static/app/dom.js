// What everything else stands on: finding elements, and doing things a little later.

export const $ = (selector, from = document) => from.querySelector(selector);
export const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

export const page = () => $("#page");

// What a script must repeat with everything that it sends; see `security.py`.
export const token = () => $("meta[name=csrf]")?.content ?? "";

// Once, when nobody has asked again for a while. What it then waits for may come after a later one's.
export function later(wait, what) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => what(...given), wait);
  };
}

// At once, then no more often than this, and never two at a time: an older answer must not come over a newer one.
// Whoever asks while it is being done has it done once more.
export function atMostEvery(wait, what) {
  let last = 0;
  let timer = 0;
  let again = false;
  function ask() {
    again = true;
    timer ||= setTimeout(run, Math.max(last + wait - Date.now(), 20));
  }
  async function run() {
    [last, again] = [Date.now(), false];
    try {
      await what();
    } finally {
      timer = 0;
      if (again) ask();
    }
  }
  return ask;
}
