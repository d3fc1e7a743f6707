// Papers of the ticket at this window: scanned with this computer's camera through its own gateway, kept by the hall.
//
// The gateway's module is another room's and may be missing, and so may the gateway: nothing else of the desk waits for it.
import { get, intent, order, Refusal, Silence, upload } from "./api.js";
import { $, clock, h, icon, pair, show, text } from "./dom.js";
import { both, fill, t, w } from "./words.js";

const LOOPBACK = /^https?:\/\/(127\.0\.0\.1|localhost)(:\d+)?$/;
const REMEMBERED = "bianmin station";
const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** Where this computer's gateway is: named once in the address (?gateway=…), else where stations of this hall usually are. */
function station(usual) {
  const named = new URLSearchParams(location.search).get("gateway");
  if (named && LOOPBACK.test(named)) localStorage.setItem(REMEMBERED, named);
  return localStorage.getItem(REMEMBERED) ?? usual;
}

/** The papers' window over the desk. `say(sentence, done)` speaks on the desk; `signIn` when nobody is logged in. */
export class Papers {
  constructor({ say, signIn }) {
    Object.assign(this, { say, signIn, ticket: null, gateway: null, panel: null, counted: "", pending: null });
    $("#papers-close").addEventListener("click", () => this.close());
    $("#papers").addEventListener("cancel", (event) => { event.preventDefault(); this.close(); });
    $("#papers-pair").addEventListener("click", () => this.#pair());
    $("#papers-again").addEventListener("click", () => this.#scan());
    $("#papers").addEventListener("keydown", (event) => event.stopPropagation()); // the desk's keys rest meanwhile
  }

  get isOpen() { return this.ticket !== null; }

  /** The desk shows another ticket, or none: how many papers it has. */
  async follow(ticket) {
    show("#papers-row", Boolean(ticket));
    const now = ticket ? `${ticket.id} ${ticket.state}` : "";
    if (now === this.counted) return;
    this.counted = now;
    text("#papers-count", "");
    if (ticket) await this.#list(ticket, false);
  }

  async open(ticket) {
    if (this.isOpen) return;
    this.ticket = ticket;
    text("#papers-number", ticket.number);
    this.#tell(null);
    $("#papers").showModal();
    await this.#list(ticket, true);
    await this.#scan();
  }

  async close() {
    const panel = this.panel;
    this.panel = this.ticket = null;
    await panel?.close();
    this.gateway?.close();
    this.gateway = this.pending = null;
    $("#papers").close();
  }

  // ---- the camera ----

  /** Go as far as the doors between this page and the camera let us, and say which one is closed. */
  async #scan() {
    show("#papers-way", false);
    this.#tell(null);
    try {
      this.station = await import("/static/station/bianmin-devices.js");
      this.panels = await import("/static/station/bianmin-scan.js");
      this.usual = (await import("/static/station/where.js")).STATION;
    } catch {
      return this.#hurdle(both(w("This hall does not have the scanning module; a technician must look.")), false, false);
    }
    if (!this.isOpen) return;
    this.gateway ??= new this.station.Gateway({ address: station(this.usual), name: t("Clerk's desk of the hall") });
    const way = await this.gateway.whatIsInTheWay();
    if (!this.isOpen) return;
    if (way) return this.#hurdle(way.sentence, ["not-paired", "wrong-token"].includes(way.code), true);
    const panel = new this.panels.ScanPanel(this.gateway, $("#papers-panel"), {
      done: { words: both(w("Attach to this ticket")), icon: "paperclip", act: (scan, mark) => this.#attach(scan, mark) },
      closed: () => { if (this.panel === panel) { this.panel = null; this.#hurdle(both(w("The scan has ended; begin another one when you need it.")), false, true, true); } },
    });
    try {
      await panel.start();
    } catch (trouble) {
      if (!(trouble instanceof this.station.GatewayError)) throw trouble;
      return this.#hurdle(trouble.sentence, false, true);
    }
    if (this.isOpen) this.panel = panel;
    else await panel.close(); // closed while the camera was being opened
  }

  async #pair() {
    $("#papers-pair").disabled = true;
    try {
      await this.gateway.pair({ onCode: (code) => { text("#papers-code", code); show("#papers-asked", true); } });
      await this.#scan();
    } catch (trouble) {
      if (!(trouble instanceof this.station.GatewayError)) throw trouble;
      this.#hurdle(trouble.sentence, true, true);
    } finally {
      $("#papers-pair").disabled = false;
      show("#papers-asked", false);
    }
  }

  /** What stands between here and the camera; `calm`: nothing is wrong. */
  #hurdle(sentence, pairing, again, calm = false) {
    $("#papers-sign").replaceChildren(icon(calm ? "circle-info" : "road-barrier"));
    $("#papers-way").classList.toggle("calm", calm);
    $("#papers-way-text").replaceChildren(pair(sentence));
    show("#papers-way", true);
    show("#papers-pair", pairing);
    show("#papers-again", again && !pairing);
  }

  // ---- the hall ----

  /** Hand the finished PDF to the hall; what it says when it refuses stands in the panel. */
  async #attach(scan, mark) {
    const ticket = this.ticket;
    const what = JSON.stringify([ticket.id, mark, scan.state.pages.map((page) => page.stamp)]);
    // Pressed again after silence, the same document goes with the same key: it is attached once.
    if (this.pending?.what !== what) this.pending = { what, key: intent(), pdf: await scan.file({ kind: "pdf", mark }) };
    try {
      await upload(`/v1/tickets/${ticket.id}/attachments`, this.pending.pdf, this.pending.key);
    } catch (trouble) {
      if (trouble instanceof Refusal && trouble.status === 401) return this.signIn();
      if (trouble instanceof Silence) throw new Error(t("The hall does not answer; press again in a moment."), { cause: trouble });
      this.pending = null;
      throw trouble;
    }
    this.pending = null;
    this.#tell(fill(t("The papers are attached to {number}."), ticket));
    this.say(fill(t("The papers are attached to {number}."), ticket), true);
    const panel = this.panel;
    this.panel = null; // ended by us: nothing to say
    await panel?.close();
    await this.#list(ticket, true);
    this.#hurdle(both(w("The scan has ended; begin another one when you need it.")), false, true, true);
  }

  async #list(ticket, rows) {
    try {
      const { attachments } = await get(`/v1/tickets/${ticket.id}/attachments`);
      text("#papers-count", attachments.length ? fill(t("{n} attached"), { n: attachments.length }) : "");
      if (rows) $("#papers-list").replaceChildren(...attachments.map((one, i) => this.#row(ticket, one, i)));
      show("#papers-none", rows && !attachments.length);
    } catch (trouble) {
      if (trouble instanceof Refusal && trouble.status === 401) return this.signIn();
      if (trouble instanceof Silence) return; // the desk's banner says so
      if (!(trouble instanceof Refusal)) throw trouble;
      if (rows) this.#tell(trouble.message, true); // another window's papers: the row stays without a number
    }
  }

  #row(ticket, one, i) {
    const where = `/v1/tickets/${ticket.id}/attachments/${one.id}`;
    return h("li", {}, icon("file-pdf"), h("b", {}, fill(t("Papers {n}"), { n: i + 1 })), h("span", {}, `${clock(one.at)} · ${size(one.size)}`),
      h("a.button.small", { href: where, download: "scan.pdf" }, icon("download"), t("Save")),
      h("button.small", { type: "button", onclick: () => this.#remove(ticket, where) }, icon("trash-can"), t("Remove")));
  }

  async #remove(ticket, where) {
    try {
      await order(where, undefined, { method: "DELETE" });
    } catch (trouble) {
      if (!(trouble instanceof Refusal || trouble instanceof Silence)) throw trouble;
      return this.#tell(trouble instanceof Refusal ? trouble.message : t("The hall does not answer; press again in a moment."), true);
    }
    this.#tell(t("The papers are removed."));
    await this.#list(ticket, true);
  }

  #tell(sentence, wrong = false) {
    text("#papers-say", sentence);
    $("#papers-say").classList.toggle("done", !wrong);
    show("#papers-say", Boolean(sentence));
  }
}
