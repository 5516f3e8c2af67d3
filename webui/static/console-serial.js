// A serial port, by xterm.js.

import { FitAddon } from "./vendor/xterm/addon-fit.mjs";
import { Terminal } from "./vendor/xterm/xterm.mjs";

const THEME = { background: "#0c0d10", foreground: "#e6e6ea", cursor: "#a3a5ff", selectionBackground: "#3a3d66" };

export class Viewer {
  constructor(screen, tell) {
    this.tell = tell;
    this.socket = null;
    this.terminal = new Terminal({
      cursorBlink: false,
      documentOverride: withoutInlineStyles,
      fontFamily: getComputedStyle(screen).getPropertyValue("--mono"),
      fontSize: 13,
      scrollback: 5000,
      theme: THEME,
    });
    const fit = new FitAddon();
    this.terminal.loadAddon(fit);
    openWithoutInlineStyles(this.terminal, screen);
    this.terminal.onData((text) => this.send(text));
    this.resized = new ResizeObserver(() => fit.fit());
    this.resized.observe(screen);
  }

  attach(socket) {
    this.socket = socket;
    socket.addEventListener("open", () => this.tell.connected());
    socket.addEventListener("message", (event) => {
      this.terminal.write(typeof event.data === "string" ? event.data : new Uint8Array(event.data));
    });
  }

  send(text) { if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text); }
  detach() { this.socket = null; }

  dispose() {
    this.resized.disconnect();
    this.terminal.dispose();
  }

  focus() { this.terminal.focus(); }
  type(text) { this.terminal.paste(text); }
  releaseKeys() {}
}

/* The terminal writes its colours and sizes into style elements and attributes, which our policy does not allow.
   It is given a document of which it gets elements that write the same where the policy lets them: into style
   sheets of the page, and into the properties of a style. */
function createElement(name, ...more) {
  if (name === "style") return standIn();
  const made = Document.prototype.createElement.call(document, name, ...more);
  made.setAttribute = setAttribute;
  return made;
}

const withoutInlineStyles = new Proxy(document, {
  get(target, name) {
    if (name === "createElement") return createElement;
    const found = Reflect.get(target, name, target);
    return typeof found === "function" ? found.bind(target) : found;
  },
});

/* Its scroll bar does not heed which document it was given. */
function openWithoutInlineStyles(terminal, screen) {
  document.createElement = createElement;
  try {
    terminal.open(screen);
  } finally {
    delete document.createElement;
  }
}

function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

function standIn() {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const element = Document.prototype.createElement.call(document, "template");
  Object.defineProperty(element, "textContent", { get: () => "", set: (text) => sheet.replaceSync(text) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
