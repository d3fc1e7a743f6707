// The devices of this machine for a page of a business system: readers, printers, evaluator, camera, scanner, strip.
// Copy this one file to your own server; it needs nothing else. Described in docs/gateway.md.
//
//   import { Gateway, GatewayError } from "./bianmin-devices.js";
//   const devices = new Gateway({ name: "综合受理系统" });
//   if (!(await devices.paired())) await devices.pair({ onCode: (code, at) => show(code, at) });   // once
//   const card = await devices.readCard();

/**
 * @typedef {Object} Device
 * @property {string} name      as hall.toml calls it
 * @property {string[]} roles   id-reader, evaluator, ticket-printer, a4-printer, code-scanner, camera, window-screen …
 * @property {[string, string][]} called  the roles in Chinese and English
 * @property {"ready"|"degraded"|"connecting"|"error"|"absent"|"disabled"} state
 * @property {[string, string]} word      the state in words
 * @property {[string, string]} reason    why, if there is anything to say
 * @property {number[]} windows           the windows it serves
 * @property {string[]} can               card, document, rating, slip, page, code, still, stream, scan, text
 * @property {string|null} owner          the origin whose page is using it now
 * @property {boolean} yours              true when that is this very page
 */
/**
 * @typedef {Object} Card
 * @property {"citizen"|"hmt"|"foreigner2017"|"foreigner2023"} kind
 * @property {string} name
 * @property {string} id_number
 * @property {string} sex
 * @property {string} nation
 * @property {string} birth             YYYYMMDD
 * @property {string} address_text
 * @property {string} authority
 * @property {string} start             YYYYMMDD
 * @property {string} end               YYYYMMDD or 长期
 * @property {boolean} id_valid         the number's check digit is right
 */
/**
 * @typedef {Object} ScanPage
 * @property {number} id                it keeps it, wherever it lies
 * @property {string} stamp             another one whenever the page is
 * @property {string} thumbnail         path of a small JPEG, for an `<img>`: put the gateway's address before it
 * @property {string} title             a name proposed for the document, once its text has been read
 * @property {string[]} flags           what is not right with it: see SCAN_FLAGS
 * @property {number} width_mm
 * @property {number} height_mm
 * @property {number} bytes
 * @property {string} mode
 * @property {string[]} codes           texts of the codes on it
 * @property {number} lines             lines of text read
 * @property {{done: number, of: number}|null} reading  how far its text has been read; null: not under way
 * @property {[number, number][]} corners  where it lay, in pixels of its shot
 */
/**
 * @typedef {Object} ScanState
 * @property {"starting"|"empty"|"unclear"|"moving"|"still"|"taken"|"full"|"no_camera"} phase
 * @property {{corners: [number, number][], flags: string[]}[]} outlines  fractions of the picture, clockwise from top left
 * @property {[number, number]} size    pixels of the picture the outlines were found in
 * @property {number} taken             how often a page was taken: flash and sound when it grows
 * @property {"document"|"photo"|"black-and-white"|"book"} mode
 * @property {boolean} automatic
 * @property {number|null} retaking     the page that the next one replaces
 * @property {[string, string]|null} trouble  what went wrong with the last page, in words
 * @property {{code: string, sentence: [string, string]}|null} camera  unplugged, frozen, black, too-bright, wrong-size, bus-full, garbled
 * @property {ScanPage[]} pages
 */
/** @typedef {{result: "done"} | {result: "unknown", sentence: [string, string], reason: [string, string]}} Outcome */
/** @typedef {{seconds?: number, device?: string, window?: number, signal?: AbortSignal}} Choice */

/** Why something was not done. `code` is for programs, `sentence` (Chinese, English) for people. */
export class GatewayError extends Error {
  /** @param {string} code @param {[string, string]} sentence @param {Object} [more] */
  constructor(code, sentence, more = {}) {
    super(sentence[0]);
    this.name = "GatewayError";
    this.code = code;
    this.sentence = sentence;
    /** @type {string|undefined} the origin that is using the device, when that is the reason */
    this.owner = more.owner;
    this.status = more.status;
  }
}

/** What may be in the way between a page and the gateway, in words. @type {Record<string, [string, string]>} */
export const IN_THE_WAY = {
  "not-there": [
    "本机没有外设网关应答：请确认工位程序正在运行、地址和端口正确。",
    "No device gateway answers on this machine: see that the station runs and that address and port are right.",
  ],
  "mixed-content": [
    "本页面是 https 页面，此浏览器不允许它访问 http 地址：请使用网关的 https 端口，并由安装人员安装本机根证书。",
    "This is an https page and this browser keeps it from http addresses: use the gateway's https port, and have the installer trust this machine's own CA.",
  ],
  "not-trusted": [
    "网关没有通过 https 应答：若工位程序在运行，则是浏览器不信任它的证书，请由安装人员安装本机根证书（bianmin device gateway ca）。",
    "The gateway does not answer by https: if the station runs, this browser does not trust its certificate; have the installer trust this machine's CA (bianmin device gateway ca).",
  ],
  "not-secure": [
    "本页面不是安全页面（http），Chrome 142 及以后的浏览器不允许它访问本机：请用 https 打开业务系统，或由管理员下发浏览器策略（bianmin device gateway policy）。",
    "This page is not secure (http); Chrome 142 and later keep it from this machine: open the business system by https, or have the administrator set the browser's policy (bianmin device gateway policy).",
  ],
  denied: [
    "浏览器已禁止本页面访问本机设备：点击地址栏左侧图标，把“访问此设备上的应用”改为允许，或由管理员下发浏览器策略。",
    "The browser was told to keep this page from this device: press the icon left of the address and allow access to apps on this device, or have the administrator set the policy.",
  ],
  ask: [
    "浏览器会询问是否允许访问本机设备，请点“允许”；如果没有询问，请确认工位程序正在运行。",
    "The browser asks whether this page may reach apps on this device: press Allow. If it does not ask, see that the station runs.",
  ],
  barred: [
    "网关在运行，但本机 hall.toml 没有允许本网站：请安装人员把它写入 gateway.origins。",
    "The gateway runs, but this machine's hall.toml does not name this site: have the installer add it to gateway.origins.",
  ],
  "not-paired": [
    "本页面还没有与本机配对：请点“配对”，并在本机页面上核对号码后确认。",
    "This page is not paired with this machine: press Pair, compare the code on this machine's own page, and confirm.",
  ],
  "wrong-token": [
    "配对已失效或已被撤销：请重新配对。",
    "The pairing is not valid any more, or was revoked: pair again.",
  ],
};

const ROLES = {
  card: "id-reader", document: "travel-document", rating: "evaluator", slip: "ticket-printer", page: "a4-printer",
  code: "code-scanner", still: "camera", stream: "camera", scan: "camera", text: "window-screen",
};

/** What may be not right with a page, in words. @type {Record<string, [string, string]>} */
export const SCAN_FLAGS = {
  blurred: ["页面不清晰：请放稳，或擦拭镜头后重拍。", "Not sharp: hold it still, or wipe the lens, and take it again."],
  glare: ["页面有反光：请转动页面或灯后重拍。", "A lamp is mirrored: turn the page or the lamp, and take it again."],
  finger: ["页面上有手指：请移开后重拍。", "A hand lies on it: take it away, and take the page again."],
  out_of_frame: ["页边超出画面：请移到中间后重拍。", "It reaches beyond the picture: move it to the middle, and take it again."],
  corner_covered: ["页角被遮住：请移开遮挡后重拍。", "A corner is covered: free it, and take it again."],
  white_on_white: ["页面与台面颜色相近：请在下面垫深色纸，或手工裁剪。", "As light as the desk: lay something dark under it, or crop by hand."],
  whole_picture: ["没有找到页边，整幅画面已保存：可手工裁剪。", "No edge was found and the whole picture was kept: crop it by hand."],
};
const POLL = 1000; // ms between two looks whether the clerk has confirmed
const AGAIN = 1000; // ms until a lost connection is made anew

/**
 * One machine's gateway. It is an EventTarget; after `open()` it tells
 * `devices` (detail: Device[]), `news` (detail: {device, news, …}), `taken`, `owned` and `released` (detail: {device, owner}), and
 * `lost` (detail: GatewayError | null) when the connection ends.
 */
export class Gateway extends EventTarget {
  /**
   * @param {Object} [options]
   * @param {string} [options.address]    where the gateway is; http://127.0.0.1:8765 by default
   * @param {string} [options.name]       what the clerk reads when this page asks to be paired
   * @param {string} [options.publicKey]  Ed25519 public key in base64, if the server signs requests
   * @param {(text: string) => Promise<string>} [options.sign]  has the server sign a text; base64
   * @param {Storage|null} [options.storage]  where the page keeps its key; localStorage by default, null: only while open
   */
  constructor({ address = "http://127.0.0.1:8765", name = "", publicKey = "", sign, storage = globalThis.localStorage } = {}) {
    super();
    this.address = address.replace(/\/+$/, "");
    this.name = name;
    this.publicKey = publicKey;
    this.sign = sign;
    this.storage = storage;
    this.page = crypto.randomUUID ? crypto.randomUUID() : randomHex();
    this.token = storage?.getItem(this.#key) ?? "";
    /** @type {Device[]} as last told */
    this.devices = [];
    this.socket = null;
    this.opening = null; // a promise while it is being opened
    this.heard = false; // the gateway has answered on the socket
    this.kept = new Map();
  }

  // ---- pairing ----

  /** Whether this page may use the devices now. @returns {Promise<boolean>} */
  async paired() {
    if (!this.token) return false;
    const hello = await this.#public("/v1/hello");
    if (!hello.paired) return false;
    try {
      await this.list();
      return true;
    } catch (error) {
      if (error instanceof GatewayError && error.code === "wrong-token") return false;
      throw error;
    }
  }

  /**
   * Ask to be paired, and wait until the clerk has confirmed on this machine's own page.
   * @param {Object} [options]
   * @param {(code: string, confirmAt: string) => void} [options.onCode]  show the code: the clerk compares it
   * @param {boolean} [options.open]      open this machine's page in a window of its own; call from a click
   * @param {AbortSignal} [options.signal]
   * @returns {Promise<void>} Rejects with GatewayError `refused` when the clerk says no.
   */
  async pair({ onCode = () => {}, open = true, signal } = {}) {
    // Opened before anything is waited for: browsers allow a new window only within the click.
    if (open) globalThis.open?.(`${this.address}/v1/pair`, "bianmin-pair", "width=760,height=640");
    const asked = await this.#public("/v1/pairings", { method: "POST", body: { name: this.name, key: this.publicKey }, signal });
    onCode(asked.code, asked.confirm_at);
    for (;;) {
      await wait(POLL, signal);
      const now = await this.#public(`/v1/pairings/${asked.pairing}`, { headers: { "Bianmin-Secret": asked.secret }, signal });
      if (now.state === "refused") throw new GatewayError("refused", ["窗口人员没有同意配对。", "The clerk did not agree to the pairing."]);
      if (now.state === "allowed") {
        this.token = now.token;
        this.storage?.setItem(this.#key, now.token);
        return;
      }
    }
  }

  /** Forget the page's key. The pairing itself is revoked on this machine's own page. */
  forget() {
    this.token = "";
    this.storage?.removeItem(this.#key);
  }

  // ---- devices ----

  /** Every device of this machine. @returns {Promise<Device[]>} */
  async list() {
    this.devices = (await this.#ask("/v1/devices")).devices;
    return this.devices;
  }

  /** Read the card that lies on the reader or is laid down in time. @param {Choice} [choice] @returns {Promise<Card>} */
  readCard(choice) { return this.#do("card", choice, ["seconds"]); }

  /** Read a passport or permit. @param {Choice} [choice] @returns {Promise<Object>} */
  readDocument(choice) { return this.#do("document", choice, ["seconds"]); }

  /** Ask for a rating. @param {Choice} [choice] @returns {Promise<{grade: number|null, word: string}>} 5 very satisfied … 1; null: none */
  askRating(choice) { return this.#do("rating", choice, ["seconds", "window"]); }

  /** Wait for a code; scanners that can be switched on are. @param {Choice} [choice] @returns {Promise<{text: string, encoding: string}>} */
  scan(choice) { return this.#do("code", choice, ["seconds"]); }

  /**
   * Print a queue slip.
   * @param {{hall: string, service: string, number: string, ahead: number, wait_minutes?: number, zone?: string, time?: string, url?: string, complaint_phone?: string}} slip
   * @param {Choice} [choice] @returns {Promise<Outcome>}
   */
  printSlip(slip, choice) { return this.#do("slip", choice, [], slip); }

  /**
   * Print a PDF, or a JPEG or PNG picture, on A4 sheets.
   * @param {Blob|ArrayBuffer|Uint8Array} pdf @param {{title?: string, copies?: number} & Choice} [choice] @returns {Promise<Outcome>}
   */
  async printPage(pdf, { title = "", copies = 1, ...choice } = {}) {
    const bytes = new Uint8Array(pdf instanceof Blob ? await pdf.arrayBuffer() : pdf);
    return this.#do("page", choice, [], { pdf: base64(bytes), title, copies });
  }

  /** Take a picture. @param {Choice} [choice] @returns {Promise<Blob>} a JPEG */
  still(choice) { return this.#do("still", choice, []); }

  /**
   * The address of a live picture for one `<img>`, to be used within 30 seconds.
   * @param {{width?: number} & Choice} [choice] width: pixels it is shown at; larger pictures are sent smaller  @returns {Promise<string>}
   */
  async stream(choice) { return this.address + (await this.#do("stream", choice, ["width"])).path; }

  /**
   * Scan pages with the document camera: each is taken by itself once it lies still. One scan a camera; it lives as long as this
   * page's connection, which is opened if need be, and nothing of it is left afterwards.
   * @param {{mode?: "document"|"photo"|"black-and-white"|"book", automatic?: boolean, searchable?: boolean, dpi?: number} & Choice} [choice]
   *   searchable: read the pages' text behind, for the PDF; dpi: measured from the stand
   * @returns {Promise<Scan>}
   */
  async startScan(choice = {}) {
    const device = await this.#choose("scan", choice);
    await this.#greeted();
    const begun = await this.#do("scan", { ...choice, device }, ["mode", "automatic", "searchable", "dpi"]);
    return new Scan(this, device, begun.path, (path, options) => this.#ask(path, options));
  }

  /** Show a text on the strip; an empty one brings the welcome back. @param {string} text @param {Choice} [choice] @returns {Promise<Outcome>} */
  showText(text, choice) { return this.#do("text", choice, ["window"], { text }); }

  // ---- events and ownership ----

  /** Connect for events; connects again by itself until `close`. @returns {Promise<void>} rejects as `sign` does */
  open() {
    this.wanted = true;
    this.opening ??= this.#connect().finally(() => { this.opening = null; });
    return this.opening;
  }

  async #connect() {
    const hello = { hello: this.token, page: this.page, ...(await this.#signature("GET", "/v1/events", new Uint8Array())) };
    if (!this.wanted || this.socket) return; // closed meanwhile, or there already
    const socket = new WebSocket(this.address.replace(/^http/, "ws") + "/v1/events");
    this.socket = socket;
    let refused = null;
    socket.onopen = () => {
      socket.send(JSON.stringify(hello));
      for (const [device, message] of this.kept) socket.send(JSON.stringify({ take: device, ...message }));
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.event === "devices") {
        this.devices = message.devices;
        this.heard = true;
      }
      if (message.event === "refused") refused = new GatewayError(message.code, message.sentence, message);
      this.dispatchEvent(new CustomEvent(message.event, { detail: message.event === "devices" ? message.devices : message }));
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.heard = false;
      this.dispatchEvent(new CustomEvent("lost", { detail: refused }));
      if (code !== 4401) this.#again();
    };
  }

  /** Connect anew in a moment, and in another one if the server does not sign just now. */
  #again() {
    setTimeout(() => { if (this.wanted && !this.socket) this.open().catch(() => this.#again()); }, AGAIN);
  }

  /** Disconnect; every device this page has taken is free again. */
  close() {
    this.wanted = false;
    this.kept.clear();
    this.socket?.close();
  }

  /**
   * Have a device for this page alone, until `release` or until the page goes. Answered by `taken` or `owned`.
   * @param {string} device @param {{wait?: boolean, watch?: boolean}} [options] wait: in line until it is free; watch: hear its news
   */
  take(device, { wait = false, watch = false } = {}) {
    this.kept.set(device, { wait, watch });
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ take: device, wait, watch }));
  }

  /** Let go of a device, or stop waiting for it. @param {string} device */
  release(device) {
    this.kept.delete(device);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ release: device }));
  }

  // ---- what is in the way ----

  /** Which of a browser's and the gateway's doors is closed for this page; null when none is. @returns {Promise<{code: string, sentence: [string, string]} | null>} */
  async whatIsInTheWay() {
    const told = (code) => ({ code, sentence: IN_THE_WAY[code] });
    try {
      const hello = await (await fetch(`${this.address}/v1/hello`, { cache: "no-store" })).json();
      if (hello.code) return { code: hello.code, sentence: hello.sentence };
      if (!hello.paired || !this.token) return told("not-paired");
      return (await this.paired()) ? null : told("wrong-token");
    } catch {
      return told(await this.#obstacle());
    }
  }

  async #obstacle() {
    // A request whose answer the page may not read still tells whether anybody is there.
    const answers = (url) => fetch(`${url}/v1/hello`, { mode: "no-cors", cache: "no-store" }).then(() => true, () => false);
    if (await answers(this.address)) return "barred";
    if (!globalThis.isSecureContext && /Chrom/.test(navigator.userAgent)) return "not-secure";
    const permission = await permitted();
    if (permission === "denied") return "denied";
    // A page of this very machine is not asked about, whatever the browser says.
    if (permission === "prompt" && !/^(localhost|127\..*|\[::1\])$/.test(location.hostname)) return "ask";
    if (this.address.startsWith("https:")) return "not-trusted";
    return location.protocol === "https:" && !/Chrom|Firefox/.test(navigator.userAgent) ? "mixed-content" : "not-there";
  }

  // ---- the wire ----

  /** Until the socket is open and the gateway has answered on it. */
  async #greeted() {
    if (this.heard) return;
    const [answered, lost] = [heard(this, "devices"), heard(this, "lost")];
    if (!this.socket) await this.open();
    const first = await Promise.race([answered, lost]);
    if (first.type === "lost") throw first.detail ?? new GatewayError("not-there", IN_THE_WAY["not-there"]);
  }

  get #key() { return `bianmin-devices ${this.address}`; }

  /** @returns {string} the device that is meant: the one named, else the first that can do it and works, else the first that can */
  async #choose(deed, choice) {
    if (choice.device) return choice.device;
    const able = (await this.list()).filter((d) => d.can.includes(deed) && (!choice.window || d.windows.includes(choice.window)));
    const found = able.find((d) => d.state === "ready" || d.state === "degraded") ?? able[0];
    if (!found) throw new GatewayError("no-device", ["本机没有可以做此事的设备。", "No device of this machine can do that."], { role: ROLES[deed] });
    return found.name;
  }

  async #do(deed, choice = {}, passed = [], body = {}) {
    const device = await this.#choose(deed, choice);
    for (const name of passed) if (choice[name] !== undefined) body = { ...body, [name]: choice[name] };
    return this.#ask(`/v1/devices/${encodeURIComponent(device)}/${deed}`, { method: "POST", body, signal: choice.signal });
  }

  async #ask(path, { method = "GET", body, signal } = {}) {
    const bytes = new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body));
    const signed = await this.#signature(method, path, bytes);
    const headers = { Authorization: `Bearer ${this.token}`, "Bianmin-Page": this.page };
    if (signed.signature) Object.assign(headers, { "Bianmin-Time": signed.time, "Bianmin-Nonce": signed.nonce, "Bianmin-Signature": signed.signature });
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return this.#fetch(path, { method, headers, body: body === undefined ? undefined : bytes, signal });
  }

  async #public(path, { method = "GET", headers = {}, body, signal } = {}) {
    if (body !== undefined) headers = { ...headers, "Content-Type": "application/json" };
    return this.#fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  }

  async #fetch(path, options) {
    let response;
    try {
      response = await fetch(this.address + path, { cache: "no-store", credentials: "omit", ...options });
    } catch (trouble) {
      if (trouble.name === "AbortError") throw trouble;
      // The browser keeps the reason from us: a page that is not paired is refused before it may read anything.
      const way = path.startsWith("/v1/hello") ? { code: "not-there", sentence: IN_THE_WAY[await this.#obstacle()] } : await this.whatIsInTheWay();
      throw new GatewayError(way?.code ?? "not-there", way?.sentence ?? IN_THE_WAY["not-there"]);
    }
    const type = response.headers.get("Content-Type") ?? "";
    if (/^(image\/|application\/(pdf|zip))/.test(type)) return response.blob();
    const told = type.includes("json") ? await response.json() : {};
    if (!response.ok) throw new GatewayError(told.code ?? "failed", told.sentence ?? IN_THE_WAY["not-there"], told);
    return told;
  }

  async #signature(method, path, bytes) {
    if (!this.sign) return {};
    const time = String(Math.floor(Date.now() / 1000));
    const nonce = randomHex();
    const digest = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
    const text = ["bianmin-v1", method, path, location.origin, time, nonce, digest].join("\n");
    return { time, nonce, signature: await this.sign(text) };
  }
}

/**
 * Pages under a document camera; made by `Gateway.startScan`. Tells `change` (detail: ScanState) whenever anything is to be shown,
 * `taken` (detail: ScanState) when a page was taken, and `ended` (detail: "ended", "idle", "broken" or "lost").
 */
export class Scan extends EventTarget {
  #ask;

  constructor(gateway, device, path, ask) {
    super();
    this.gateway = gateway;
    this.device = device;
    this.path = path;
    this.over = false;
    this.#ask = ask;
    /** @type {ScanState} */
    this.state = {
      phase: "starting", outlines: [], size: [0, 0], taken: 0, mode: "document", automatic: true, retaking: null, trouble: null, camera: null, pages: [],
    };
    this.listeners = { scan: ({ detail }) => this.#hear(detail), "scan-ended": ({ detail }) => detail.device === device && this.#end(detail.why), lost: () => this.#end("lost") };
    for (const [name, listener] of Object.entries(this.listeners)) gateway.addEventListener(name, listener);
  }

  #hear({ event, device, ...told }) {
    if (device !== this.device) return;
    const more = told.taken > this.state.taken;
    this.state = { ...this.state, ...told };
    this.dispatchEvent(new CustomEvent("change", { detail: this.state }));
    if (more) this.dispatchEvent(new CustomEvent("taken", { detail: this.state }));
  }

  #end(why) {
    if (this.over) return;
    this.over = true;
    for (const [name, listener] of Object.entries(this.listeners)) this.gateway.removeEventListener(name, listener);
    this.dispatchEvent(new CustomEvent("ended", { detail: why }));
  }

  #order(name, body = {}) { return this.#ask(`${this.path}/${name}`, { method: "POST", body }); }

  /** Take what lies there now, as it lies. A foot pedal of this machine does the same. */
  take() { return this.#order("take"); }

  /** Whether pages are taken by themselves. @param {boolean} on */
  setAutomatic(on) { return this.#order("automatic", { on }); }

  /** How the next pages are made. @param {"document"|"photo"|"black-and-white"|"book"} mode */
  setMode(mode) { return this.#order("mode", { mode }); }

  /** Take the last change back. @returns {Promise<{done: boolean}>} false: there is none left */
  undo() { return this.#order("undo"); }

  /** @param {number} page its id; `undo` brings it back */
  remove(page) { return this.#order("remove", { page }); }

  /** Turn a page clockwise. @param {number} page @param {90|180|270} [degrees] */
  rotate(page, degrees = 90) { return this.#order("rotate", { page, degrees }); }

  /** @param {number[]} pages the ids of all pages in their new order */
  reorder(pages) { return this.#order("reorder", { pages }); }

  /** The next page taken replaces this one. @param {number} page */
  retake(page) { return this.#order("retake", { page }); }

  /** Cut a page out of its shot again. @param {number} page @param {[number, number][]} corners four, fractions of the shot, clockwise from top left */
  crop(page, corners) { return this.#order("crop", { page, corners }); }

  /** The page as a JPEG. @param {number} page @returns {Promise<Blob>} */
  picture(page) { return this.#ask(`${this.path}/pages/${page}/picture`); }

  /** The camera's picture that the page was cut from. @param {number} page @returns {Promise<Blob>} */
  shot(page) { return this.#ask(`${this.path}/pages/${page}/shot`); }

  /** The address of a page's thumbnail, for an `<img>`. @param {ScanPage} page @returns {string} */
  thumbnail(page) { return this.gateway.address + page.thumbnail; }

  /** The address of a live picture for one `<img>`, to be used within 30 seconds; it lasts ten minutes. @param {number} [width] @returns {Promise<string>} */
  stream(width) { return this.gateway.stream({ device: this.device, width }); }

  /**
   * The finished document. JPEG and PNG of several pages come as a ZIP, unless one `page` is meant; "copy" is a PDF as a copier would print it.
   * @param {{kind?: "pdf"|"jpg"|"png"|"tiff"|"copy", mark?: string, page?: number, pages?: number[]}} [wanted] mark: written across each page
   * @returns {Promise<Blob>}
   */
  file(wanted = {}) { return this.#order("file", wanted); }

  /** A small JPEG of the first sheet that `print` would print. @param {{pages?: number[]}} [wanted] @returns {Promise<Blob>} */
  preview(wanted = {}) { return this.#order("preview", wanted); }

  /**
   * Copy on an A4 printer of this machine, cards two on a sheet at true size.
   * @param {{pages?: number[], copies?: number, mark?: string, printer?: string}} [wanted] @returns {Promise<Outcome>}
   */
  print(wanted = {}) { return this.#order("print", wanted); }

  /** End it: every page is forgotten, the camera is free. */
  async end() {
    if (!this.over) await this.#order("end");
  }
}

/** What the browser says about reaching this device: granted, prompt, denied, or "" where it does not ask. */
async function permitted() {
  for (const name of ["loopback-network", "local-network-access"]) { // Chrome 145 gave the older name a finer one
    try {
      return (await navigator.permissions.query({ name })).state;
    } catch {
      continue;
    }
  }
  return "";
}

function wait(ms, signal) {
  return new Promise((done, fail) => {
    signal?.throwIfAborted();
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); fail(signal.reason); }, { once: true });
  });
}

function heard(target, event) {
  return new Promise((done) => target.addEventListener(event, done, { once: true }));
}

function randomHex() {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}

function hex(bytes) {
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
