// A console of a row: asks for a ticket, connects, tells how it goes, and connects again when that makes sense.
// What is on the other side is drawn by `console-display.js` or `console-serial.js`.

const WAITS = [1, 2, 4, 8, 15];
const REFUSED = { 403: "refused", 404: "gone", 409: "off" };

/** Bring a console to life.
 * @param {HTMLElement} box the section of the page.
 * @param {{ token: () => string }} page gives the page's token against forgery.
 */
export function begin(box, page) {
  new Console(box, page);
}

class Console {
  constructor(box, page) {
    this.box = box;
    this.page = page;
    this.socket = null;
    this.viewer = null;
    this.failures = 0;
    this.timer = 0;
    this.asking = 0;
    this.find("[data-paste]").addEventListener("submit", (event) => this.paste(event));
    this.find("[data-password]").addEventListener("submit", (event) => this.password(event));
    box.addEventListener("click", (event) => this.click(event));
    box.addEventListener("keydown", (event) => this.leave(event), true);
    box.addEventListener("fresh", (event) => this.fresh(event.detail));
    const swapped = () => {
      if (box.isConnected) return;
      document.removeEventListener("htmx:afterSwap", swapped);
      this.end();
    };
    document.addEventListener("htmx:afterSwap", swapped);
    if (this.up) this.connect();
  }

  find(selector) { return this.box.querySelector(selector); }
  get up() { return this.box.dataset.up === "yes"; }
  get phase() { return this.box.dataset.phase; }
  set phase(name) { this.box.dataset.phase = name; }

  // ---------- connecting ----------

  async connect() {
    clearInterval(this.timer);
    this.hangUp();
    this.phase = "connecting";
    const asking = ++this.asking;
    const [status, ticket] = await this.ask();
    if (asking !== this.asking) return;
    if (!ticket) {
      this.without(status);
      return;
    }
    try {
      this.viewer ??= await this.makeViewer();
    } catch {
      this.lost();
      return;
    }
    if (asking !== this.asking || !this.box.isConnected) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/console/ws?token=${encodeURIComponent(ticket.token)}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.addEventListener("close", (event) => { if (this.socket === socket) this.closed(event); });
    this.viewer.attach(socket);
  }

  async ask() {
    const body = new URLSearchParams({ uuid: this.box.dataset.uuid });
    const headers = { "X-CSRF-Token": this.page.token(), "HX-Request": "true", "HX-Target": "console", "HX-Current-URL": location.href };
    try {
      const answer = await fetch(this.box.dataset.ask, { method: "POST", body, headers, credentials: "same-origin" });
      const elsewhere = answer.headers.get("hx-redirect");
      if (elsewhere) location.assign(elsewhere);
      return [answer.status, answer.status === 200 ? await answer.json() : null];
    } catch {
      return [0, null];
    }
  }

  async makeViewer() {
    const name = this.box.dataset.scheme === "serial" ? "./console-serial.js" : "./console-display.js";
    const { Viewer } = await import(name);
    return new Viewer(this.find("[data-screen]"), {
      connected: () => this.connected(),
      password: (problem) => this.askPassword(problem),
    });
  }

  connected() {
    this.failures = 0;
    this.phase = "open";
    const busy = document.activeElement;
    if (!busy || busy === document.body || busy.id === "page" || busy === this.find("#console-password")) this.viewer.focus();
  }

  hangUp() {
    const socket = this.socket;
    this.socket = null;
    this.viewer?.detach();
    socket?.close();
  }

  end() {
    clearInterval(this.timer);
    this.asking += 1;
    this.hangUp();
    this.viewer?.dispose();
  }

  // ---------- what may end it ----------

  async closed(event) {
    const was = this.phase;
    this.hangUp();
    // A serial port whose other end closes in good order while the VM runs has been given to another viewer.
    if (event.code === 1000 && was === "open" && this.box.dataset.scheme === "serial") {
      const asking = ++this.asking;
      const [status, ticket] = await this.ask();
      if (asking !== this.asking) return;
      if (ticket) this.phase = "taken";
      else this.without(status);
      return;
    }
    if (was === "password" && this.up) return;
    this.lost();
  }

  without(status) {
    this.phase = REFUSED[status] ?? "lost";
    if (this.phase === "lost") this.lost();
    // The page may have been read just before it started.
    else if (this.phase === "off" && this.up) this.retryIn(3, "off");
  }

  lost() {
    if (!this.up) {
      this.phase = "off";
      return;
    }
    this.retryIn(WAITS[Math.min(this.failures, WAITS.length - 1)], "lost");
    this.failures += 1;
  }

  retryIn(seconds, phase) {
    this.phase = phase;
    clearInterval(this.timer);
    const at = Date.now() + seconds * 1000;
    const say = () => {
      const left = Math.ceil((at - Date.now()) / 1000);
      if (left <= 0) this.connect();
      else this.find("[data-console-wait]").textContent = `Trying again in ${left} s.`;
    };
    this.timer = setInterval(say, 250);
    say();
  }

  fresh(section) {
    this.box.dataset.up = section.dataset.up;
    this.find("[data-off]").replaceChildren(...section.querySelector("[data-off]").childNodes);
    if (this.up && this.phase === "off") this.connect();
    // What is still shutting down may be looked at until its end; what can be started has come to it.
    else if (!this.up && (this.phase !== "open" || this.find("[data-off] a"))) {
      clearInterval(this.timer);
      this.asking += 1;
      this.hangUp();
      this.phase = "off";
    }
  }

  // ---------- what people do ----------

  click(event) {
    const button = event.target.closest("[data-console-act]");
    if (!button) return;
    const acts = {
      connect: () => this.connect(),
      cad: () => { this.viewer.ctrlAltDel(); this.viewer.focus(); },
      paste: () => this.showPaste(this.find("[data-paste]").hidden),
      scale: () => { const actual = this.viewer.toggleScale(); button.setAttribute("aria-pressed", String(actual)); },
      full: () => this.fullScreen(),
    };
    acts[button.dataset.consoleAct]();
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.box.requestFullscreen().then(() => this.viewer.focus(), () => {});
  }

  showPaste(shown) {
    const form = this.find("[data-paste]");
    form.hidden = !shown;
    if (shown) form.querySelector("textarea").focus();
    else this.viewer.focus();
  }

  paste(event) {
    event.preventDefault();
    const text = this.find("#console-text");
    this.viewer.type(text.value);
    text.value = "";
    this.showPaste(false);
  }

  askPassword(problem) {
    this.phase = "password";
    this.find("[data-console-problem]").textContent = problem;
    this.find("#console-password").focus();
  }

  password(event) {
    event.preventDefault();
    const input = this.find("#console-password");
    this.viewer.password(input.value);
    input.value = "";
    if (!this.socket) this.connect();
  }

  // The way out for those who have no mouse: a screen takes every other key.
  leave(event) {
    if (!event.ctrlKey || !event.altKey || !event.shiftKey || !this.find("[data-screen]").contains(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
    this.viewer.releaseKeys();
    this.find(".console-acts button").focus();
  }
}
