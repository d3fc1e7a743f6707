// A panel to scan with: the live picture with the pages' outlines, the pages taken, cropping by hand, files and a copy on paper.
// Beside bianmin-devices.js; copy both and bianmin-scan.css to your own server. Icons are Font Awesome's, words stand beside each.
//
//   const panel = new ScanPanel(gateway, document.getElementById("here"), { done: { words: ["交给系统", "Hand over"], act: (scan) => … } });
//   await panel.start();
import { GatewayError, SCAN_FLAGS } from "./bianmin-devices.js";

const PHASES = {
  starting: ["正在连接高拍仪……", "Connecting to the camera …"],
  empty: ["请把材料放到台面上", "Lay a page on the desk"],
  unclear: ["看不清纸边：请放到画面中间，或按“拍一页”", "No edges can be seen: lay it in the middle, or press Take"],
  moving: ["请放稳，手移开", "Hold still, take your hand away"],
  still: ["正在拍摄……", "Taking it …"],
  taken: ["已拍下，请放下一页", "Taken: lay the next page"],
  full: ["页数已满，请先提交或保存这些页", "No more pages fit: hand these over or save them first"],
  no_camera: ["没有画面", "No picture comes"],
};
const BY_HAND = ["已放稳：请按“拍一页”或踩脚踏", "It lies still: press Take, or step on the pedal"];
const CUT_OFF = ["页边超出画面：请移到中间", "It reaches beyond the picture: move it to the middle"];
const MODES = [
  ["document", ["文档", "Document"]], ["photo", ["原图", "Photo"]], ["black-and-white", ["黑白", "Black & white"]], ["book", ["书本", "Book"]],
];
const FILES = [["pdf", "PDF"], ["jpg", "JPEG"], ["png", "PNG"], ["tiff", "TIFF"]];
const ENDED = {
  ended: ["扫描已结束。", "The scan has ended."],
  idle: ["太久没有操作，扫描已结束，页面已清除。", "Nothing was done for long: the scan has ended and its pages are gone."],
  broken: ["页面文件损坏，扫描已结束。", "The pages are damaged: the scan has ended."],
  lost: ["与本机外设网关的连接中断，扫描已结束，页面已清除。", "The gateway is gone: the scan has ended and its pages are gone."],
};
const SHOWN = 800; // pixels of width
const RENEW_MS = 540000; // a live picture lasts ten minutes
const AGAIN_MS = 1000;
const STEP = 0.005; // of the picture, by which an arrow key moves a corner
const FILLED = 0.8; // of the room by a small page that is cropped
const CLOSEST = 5; // times as large as when all of the picture is seen
const SVG = "http://www.w3.org/2000/svg";

/** An element: el("button.act", { type: "button", onclick }, child …). */
function el(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag);
  node.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const icon = (name) => el(`i.fa-solid.fa-${name}`, { "aria-hidden": "true" });
const pair = ([first, second]) => el("span.scan-pair", {}, el("span", {}, first), el("span.scan-second", { lang: "en" }, second));

/** A button. While what it began is under way it begins nothing more. */
function button(sign, words, act, kind = "", more = {}) {
  const pressed = async () => {
    if (node.dataset.busy) return;
    node.dataset.busy = "true";
    try { await act(); } finally { delete node.dataset.busy; }
  };
  const node = el(`button${kind}`, { type: "button", onclick: pressed, ...more }, icon(sign), pair(words));
  return node;
}

/** For what must not happen twice because a finger trembled: the second click of a double one is none. */
const ONCE = { "data-once": true };
const onlyOnce = (event) => { if (event.detail > 1 && event.target.closest("[data-once]")) event.stopPropagation(); };
const points = (corners) => corners.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" ");
const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** A drawing over a picture, 1000 × 1000 whatever the picture's size. */
function drawing() {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("viewBox", "0 0 1000 1000");
  node.setAttribute("preserveAspectRatio", "none");
  return node;
}

function polygon(corners, flagged = false) {
  const node = document.createElementNS(SVG, "polygon");
  node.setAttribute("points", points(corners));
  node.setAttribute("class", flagged ? "flagged" : "");
  return node;
}

/** A pane in which a small page fills the room and all of the picture is a click away; and what shows it so once it is on the screen. */
function closeUp(field, corners) {
  const [from, to] = [Math.min, Math.max].map((most) => [0, 1].map((way) => most(...corners.map((corner) => corner[way]))));
  const larger = Math.min(CLOSEST, Math.max(1, FILLED / Math.max(to[0] - from[0], to[1] - from[1])));
  const pane = el("div.scan-pane", {}, field);
  let close = larger > 1;
  const words = () => (close ? ["magnifying-glass-minus", ["看全图", "Whole picture"]] : ["magnifying-glass-plus", ["放大", "Closer"]]);
  const look = () => {
    field.style.width = `${(close ? larger : 1) * 100}%`;
    pane.scrollLeft = ((from[0] + to[0]) / 2) * field.offsetWidth - pane.clientWidth / 2 + field.offsetLeft;
    pane.scrollTop = ((from[1] + to[1]) / 2) * field.offsetHeight - pane.clientHeight / 2 + field.offsetTop;
    const [sign, said] = words();
    zoom.replaceChildren(icon(sign), pair(said));
  };
  const zoom = button(...words(), () => { close = !close; look(); }, ".plain.scan-zoom", { hidden: larger === 1 });
  return [el("div.scan-closeup", {}, pane, zoom), look];
}

/** One scan and everything a person does with it. */
export class ScanPanel {
  /**
   * @param {import("./bianmin-devices.js").Gateway} gateway @param {HTMLElement} root is filled and emptied by us
   * @param {{device?: string, done?: {words: [string, string], icon?: string, act: (scan: import("./bianmin-devices.js").Scan, mark: string) => Promise<unknown>},
   *   mark?: string, closed?: () => void}} [options]
   *   done: what becomes of the pages here, as the panel's first button; mark: a watermark to begin with; closed: the panel is empty again
   */
  constructor(gateway, root, options = {}) {
    Object.assign(this, { gateway, root, options, scan: null, sound: null, shown: "", gone: false });
    root.addEventListener("click", onlyOnce, { capture: true });
  }

  /** Begin; call it from a click, for the sound. Rejects with GatewayError. */
  async start() {
    this.sound = globalThis.AudioContext ? new AudioContext() : null;
    try {
      this.scan = await this.gateway.startScan({ device: this.options.device });
    } catch (trouble) {
      this.sound?.close(); // a browser has only a few of them
      throw trouble;
    }
    this.#build();
    this.scan.addEventListener("change", ({ detail }) => this.#show(detail));
    this.scan.addEventListener("taken", ({ detail }) => this.#flash(detail));
    this.scan.addEventListener("ended", ({ detail }) => this.#ended(detail));
    await this.#live();
    this.timer = setInterval(() => this.#live(), RENEW_MS);
  }

  /** End the scan and empty the panel. */
  async close() {
    clearInterval(this.timer);
    await this.scan?.end().catch((trouble) => { if (!(trouble instanceof GatewayError)) throw trouble; });
    this.#clear();
  }

  #clear() {
    if (this.gone) return;
    this.gone = true;
    clearInterval(this.timer);
    this.root.replaceChildren();
    this.sound?.close();
    this.sound = null;
    this.options.closed?.();
  }

  // ---- the panel ----

  #build() {
    const { done } = this.options;
    this.view = el("img", { alt: "高拍仪画面" });
    this.view.addEventListener("error", () => setTimeout(() => this.#live(), AGAIN_MS));
    this.outlines = drawing();
    this.frame = el("div.scan-frame", {}, this.view, this.outlines, el("div.scan-flash"));
    this.phase = el("p.scan-phase", { role: "status" });
    this.camera = el("p.scan-trouble", { role: "alert", hidden: true });
    this.told = el("p.scan-told", { role: "status", hidden: true });
    this.automatic = el("input", { type: "checkbox", checked: true, onchange: () => this.#try(() => this.scan.setAutomatic(this.automatic.checked)) });
    this.modes = el("select", { "aria-label": "扫描方式", onchange: () => this.#try(() => this.scan.setMode(this.modes.value)) },
      ...MODES.map(([mode, [first, second]]) => el("option", { value: mode }, `${first} ${second}`)));
    this.pages = el("ol.scan-pages");
    this.none = el("p.scan-none", {}, pair(["还没有页面", "No page yet"]));
    this.mark = el("input", { type: "text", maxlength: 60, placeholder: "水印，如：仅供办理养老保险使用", "aria-label": "水印", value: this.options.mark ?? "" });
    this.total = el("p.scan-total", {});
    this.finish = done ? button(done.icon ?? "paperclip", done.words, () => this.#try(() => done.act(this.scan, this.mark.value)), ".act.scan-done", ONCE) : null;
    this.handing = [
      ...FILES.map(([kind, name]) => button("download", [name, ""], () => this.#try(() => this.#save(kind)), ".plain.scan-save")),
      button("print", ["复印到 A4", "Copy on A4"], () => this.#try(() => this.#copy()), ".plain.scan-print"),
    ];
    this.root.replaceChildren(el("section.scan-panel", {},
      el("div.scan-left", {}, this.phase, this.camera, this.frame,
        el("div.scan-bar", {},
          button("camera", ["拍一页", "Take"], () => this.#try(() => this.scan.take()), ".act.scan-take", ONCE),
          el("label.scan-check", {}, this.automatic, pair(["放稳自动拍", "By itself"])),
          el("label.scan-mode", {}, pair(["方式", "Mode"]), this.modes),
          button("rotate-left", ["撤销", "Undo"], () => this.#try(() => this.scan.undo()), ".plain.scan-undo"))),
      el("div.scan-right", {}, this.none, this.pages, this.total,
        el("label.scan-mark", {}, pair(["水印", "Watermark"]), this.mark), this.told,
        el("div.scan-bar", {}, this.finish, ...this.handing,
          button("xmark", ["结束并清除", "End and clear"], () => this.close(), ".plain.scan-close")))));
    this.#show(this.scan.state);
  }

  async #live() {
    if (!this.scan || this.scan.over) return;
    try {
      this.view.src = await this.scan.stream(SHOWN);
    } catch (trouble) {
      if (!(trouble instanceof GatewayError)) throw trouble;
      this.#tell(trouble.sentence, true);
    }
  }

  #show(state) {
    this.phase.replaceChildren(pair(this.#said(state)));
    this.phase.dataset.phase = state.phase;
    const wrong = state.camera?.sentence ?? state.trouble;
    this.camera.hidden = !wrong;
    if (wrong) this.camera.replaceChildren(icon("triangle-exclamation"), pair(wrong));
    this.camera.dataset.code = state.camera?.code ?? "";
    this.outlines.replaceChildren(...state.outlines.map((one) => polygon(one.corners, one.flags.length > 0)));
    this.automatic.checked = state.automatic;
    if (document.activeElement !== this.modes) this.modes.value = state.mode;
    this.#showPages(state);
  }

  #said(state) {
    const lies = state.phase === "moving" || state.phase === "still";
    if (lies && state.outlines.some((one) => one.flags.includes("out_of_frame"))) return CUT_OFF;
    if (state.retaking !== null && state.phase !== "still") return ["请放要重拍的那一页", "Lay the page that is to be taken again"];
    return state.phase === "still" && !state.automatic ? BY_HAND : PHASES[state.phase];
  }

  #showPages(state) {
    const now = JSON.stringify([state.pages, state.retaking]);
    if (now === this.shown) return;
    this.shown = now;
    this.none.hidden = state.pages.length > 0;
    const grown = state.pages.length > this.pages.children.length;
    const known = new Map([...this.pages.children].map((row) => [row.dataset.stamp, row.querySelector("img")]));
    this.pages.replaceChildren(...state.pages.map((page, i) => this.#row(page, i, state, known.get(page.stamp))));
    if (grown) this.pages.scrollTop = this.pages.scrollHeight; // the list alone: what stands above the picture stays
    const bytes = state.pages.reduce((sum, page) => sum + page.bytes, 0);
    this.total.replaceChildren(state.pages.length ? pair([`共 ${state.pages.length} 页，约 ${size(bytes)}`, `${state.pages.length} pages, about ${size(bytes)}`]) : "");
    for (const one of [this.finish, ...this.handing]) if (one) one.disabled = !state.pages.length;
  }

  #row(page, i, state, picture) {
    const ids = state.pages.map((one) => one.id);
    const swapped = (by) => ids.map((id, at) => (at === i ? ids[i + by] : at === i + by ? ids[i] : id));
    const small = (sign, words, act, more = {}) => el("button.plain.small", { type: "button", title: words.join(" "), "aria-label": words[0], onclick: () => this.#try(act), ...more }, icon(sign), el("span", {}, words[0]));
    return el("li", { "data-page": page.id, "data-stamp": page.stamp, "data-retaking": String(state.retaking === page.id) },
      picture ?? el("img", { src: this.scan.thumbnail(page), alt: `第 ${i + 1} 页`, loading: "lazy" }),
      el("div", {},
        el("p.scan-name", {}, el("b", {}, `${i + 1}`), el("span", {}, page.title || `${Math.round(page.width_mm)} × ${Math.round(page.height_mm)} mm`), el("span.scan-size", {}, size(page.bytes))),
        ...page.flags.filter((flag) => SCAN_FLAGS[flag]).map((flag) => el("p.scan-flag", { "data-flag": flag }, icon("triangle-exclamation"), pair(SCAN_FLAGS[flag]))),
        page.reading ? el("p.scan-reading", {}, pair(page.reading.of ? [`正在识别文字 ${page.reading.done}/${page.reading.of}`, "Reading its text"] : ["等待识别文字", "Its text will be read"])) : null,
        el("div.scan-tools", {},
          small("arrow-up", ["上移", "Up"], () => this.scan.reorder(swapped(-1)), { disabled: i === 0 }),
          small("arrow-down", ["下移", "Down"], () => this.scan.reorder(swapped(1)), { disabled: i === ids.length - 1 }),
          small("rotate-right", ["旋转", "Turn"], () => this.scan.rotate(page.id)),
          small("crop-simple", ["裁剪", "Crop"], () => this.#crop(page)),
          small("camera-rotate", ["重拍", "Retake"], () => this.scan.retake(page.id)),
          small("trash-can", ["删除", "Remove"], () => this.scan.remove(page.id), ONCE))));
  }

  // ---- taken ----

  #flash() {
    this.frame.classList.remove("flash");
    void this.frame.offsetWidth; // begins the flash anew
    this.frame.classList.add("flash");
    this.root.dataset.taken = this.scan.state.taken;
    this.#click();
  }

  /** A shutter: two short clicks. */
  #click() {
    if (!this.sound) return;
    for (const at of [0, 0.07]) {
      const [tone, level] = [this.sound.createOscillator(), this.sound.createGain()];
      const from = this.sound.currentTime + at;
      tone.type = "square";
      tone.frequency.value = at ? 1400 : 1900;
      level.gain.setValueAtTime(0.15, from);
      level.gain.exponentialRampToValueAtTime(0.001, from + 0.05);
      tone.connect(level).connect(this.sound.destination);
      tone.start(from);
      tone.stop(from + 0.06);
    }
  }

  // ---- by hand ----

  /** Four corners to be dragged, or moved by the arrow keys, over the camera's picture. */
  async #crop(page) {
    const url = URL.createObjectURL(await this.scan.shot(page.id));
    const picture = el("img", { src: url, alt: "拍摄的原图" });
    await picture.decode();
    const inside = (n) => Math.min(1, Math.max(0, n));
    const corners = page.corners.length === 4
      ? page.corners.map(([x, y]) => [inside(x / picture.naturalWidth), inside(y / picture.naturalHeight)])
      : [[0.05, 0.05], [0.95, 0.05], [0.95, 0.95], [0.05, 0.95]];
    const lines = drawing();
    const field = el("div.scan-crop", {}, picture, lines);
    const draw = () => {
      lines.replaceChildren(polygon(corners));
      handles.forEach((handle, i) => Object.assign(handle.style, { left: `${corners[i][0] * 100}%`, top: `${corners[i][1] * 100}%` }));
    };
    const handles = corners.map((corner, i) => {
      const move = (x, y) => { corners[i] = [inside(x), inside(y)]; draw(); };
      const handle = el("button.scan-corner", { type: "button", "aria-label": ["左上角", "右上角", "右下角", "左下角"][i] });
      handle.addEventListener("pointerdown", (event) => { event.preventDefault(); handle.focus(); handle.setPointerCapture(event.pointerId); });
      handle.addEventListener("pointermove", (event) => {
        if (!handle.hasPointerCapture(event.pointerId)) return;
        const box = field.getBoundingClientRect();
        move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      });
      handle.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
        if (by) { event.preventDefault(); move(corners[i][0] + by[0], corners[i][1] + by[1]); }
      });
      return handle;
    });
    field.append(...handles);
    draw();
    const [body, look] = closeUp(field, corners);
    const closed = this.#dialog(["拖动四个角，框住页面", "Drag the four corners to the page's"], body, ["裁剪", "Crop"], () => this.scan.crop(page.id, corners));
    look();
    await closed;
    URL.revokeObjectURL(url);
  }

  /** A copy on paper: what the first sheet looks like, and how often. */
  async #copy() {
    const url = URL.createObjectURL(await this.scan.preview());
    const copies = el("input", { type: "number", min: 1, max: 50, value: 1, "aria-label": "份数" });
    const sheet = el("div.scan-sheet", {}, el("img", { src: url, alt: "复印效果" }), el("label", {}, pair(["份数", "Copies"]), copies));
    await this.#dialog(["黑白复印效果（首张）", "How the first sheet will look, in black and white"], sheet, ["打印", "Print"], async () => {
      const printed = await this.scan.print({ copies: Number(copies.value), mark: this.mark.value });
      this.#tell(printed.result === "unknown" ? printed.sentence : ["已打印。", "Printed."], printed.result === "unknown");
    });
    URL.revokeObjectURL(url);
  }

  async #save(kind) {
    const blob = await this.scan.file({ kind, mark: this.mark.value });
    const name = blob.type === "application/zip" ? "scan.zip" : `scan.${kind}`;
    const url = URL.createObjectURL(blob);
    el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
    this.#tell([`已保存 ${name}，${size(blob.size)}`, `${name} saved, ${size(blob.size)}`]);
  }

  #dialog(title, body, words, act) {
    return new Promise((closed) => {
      const close = () => { box.close(); box.remove(); closed(); };
      const box = el("dialog.scan-dialog", { oncancel: close }, el("h2", {}, pair(title)), body,
        el("div.scan-bar", {},
          button("check", words, async () => { await this.#try(act); close(); }, ".act.scan-yes", ONCE),
          button("xmark", ["返回", "Back"], close, ".plain")));
      this.root.append(box);
      box.showModal();
    });
  }

  // ---- what is said ----

  async #try(act) {
    try {
      this.told.hidden = true;
      await act();
    } catch (trouble) {
      // Whoever is handed the pages may have refusals of its own, with a sentence fit to show.
      const said = trouble instanceof GatewayError ? trouble.sentence : [trouble.message ?? String(trouble), ""];
      this.#tell(said, true);
      if (trouble instanceof TypeError) throw trouble;
    }
  }

  #tell(sentence, wrong = false) {
    this.told.replaceChildren(icon(wrong ? "circle-xmark" : "circle-check"), pair(sentence));
    this.told.classList.toggle("wrong", wrong);
    this.told.hidden = false;
  }

  #ended(why) {
    if (this.gone) return;
    this.#clear();
    if (why !== "ended") this.root.replaceChildren(el("p.scan-trouble", { role: "alert" }, icon("triangle-exclamation"), pair(ENDED[why])));
  }
}
