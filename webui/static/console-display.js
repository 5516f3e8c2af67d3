// A display, by noVNC.

import RFB from "./vendor/novnc/core/rfb.js";
import { initLogging } from "./vendor/novnc/core/util/logging.js";

// What it would write to the browser's log, such as that a password was wrong, the page tells the person.
initLogging("none");

const KEYS = { "\n": 0xff0d, "\r": 0xff0d, "\t": 0xff09 };
const SHIFT = 0xffe1;
const NEEDS_SHIFT = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;
const GAP = 12;
/* Milliseconds between typed characters: a guest's keyboard holds no more than a few. */

export class Viewer {
  constructor(screen, tell) {
    this.screen = screen;
    this.tell = tell;
    this.rfb = null;
    this.scaled = true;
    this.secret = "";
    this.asked = false;
  }

  attach(socket) {
    const credentials = this.secret ? { password: this.secret } : {};
    const rfb = new RFB(this.screen, socket, { shared: true, credentials });
    this.rfb = rfb;
    rfb.background = "transparent";
    rfb.scaleViewport = this.scaled;
    rfb.clipViewport = !this.scaled;
    rfb.dragViewport = false;
    rfb.addEventListener("disconnect", () => { if (this.rfb === rfb) this.rfb = null; });
    rfb.addEventListener("connect", () => this.tell.connected());
    rfb.addEventListener("credentialsrequired", () => {
      this.asked = true;
      this.tell.password("");
    });
    rfb.addEventListener("securityfailure", () => {
      this.secret = "";
      this.tell.password("That is not it. Try once more.");
    });
  }

  detach() {
    const rfb = this.rfb;
    this.rfb = null;
    this.asked = false;
    rfb?.disconnect();
  }

  dispose() {}

  /** What the display asks for; without a question that is open it is kept for the next one. */
  password(secret) {
    this.secret = secret;
    if (this.asked) this.rfb?.sendCredentials({ password: secret });
    this.asked = false;
  }

  focus() { this.rfb?.focus({ preventScroll: true }); }
  ctrlAltDel() { this.rfb?.sendCtrlAltDel(); }

  toggleScale() {
    this.scaled = !this.scaled;
    if (this.rfb) {
      this.rfb.scaleViewport = this.scaled;
      this.rfb.clipViewport = !this.scaled;
      this.rfb.dragViewport = !this.scaled;
    }
    return !this.scaled;
  }

  async type(text) {
    for (const character of text.replace(/\r\n/g, "\n")) {
      const code = character.codePointAt(0);
      const key = KEYS[character] ?? (code < 0x100 ? code : 0x01000000 | code);
      const shifted = NEEDS_SHIFT.test(character);
      if (shifted) this.rfb?.sendKey(SHIFT, "ShiftLeft", true);
      this.rfb?.sendKey(key, null);
      if (shifted) this.rfb?.sendKey(SHIFT, "ShiftLeft", false);
      await new Promise((done) => setTimeout(done, GAP));
    }
  }

  releaseKeys() {
    const canvas = this.screen.querySelector("canvas");
    for (const name of ["Control", "Alt", "Shift"]) {
      for (const side of ["Left", "Right"]) {
        canvas?.dispatchEvent(new KeyboardEvent("keyup", { key: name, code: `${name}${side}`, bubbles: false }));
      }
    }
  }
}
