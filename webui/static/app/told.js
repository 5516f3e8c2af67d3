// What this window has been told, and up to where: a page that is older than that catches up on it.

const MOST = 500;

// Positions are as the server has them, `12` or `12.3`; the whole of batch 12 comes after its parts. An empty one is before all.
function isBefore(one, other) {
  const [[number, place], [itsNumber, itsPlace]] = [one, other].map((text) => text.split(".").map(Number));
  return number === itsNumber ? (place ?? Infinity) < (itsPlace ?? Infinity) : number < itsNumber;
}

let since = "";
let last = "";
let entries = [];

// Everything up to here is known; what came before is forgotten.
export function begin(at) {
  [since, last, entries] = [at, at, []];
}

export const upTo = () => last;

// Note it; false if it was known. What comes at the same position may be news: operations are told again with it.
export function add(at, rows) {
  if (isBefore(at, last)) return false;
  last = at;
  entries.push([at, rows]);
  if (entries.length > MOST) [since] = entries.shift();
  return true;
}

// All of it that came later than a position, or null if that is not known any more.
export function after(at) {
  if (isBefore(at, since)) return null;
  return entries.filter(([position]) => isBefore(at, position));
}
