// Adds a device, or changes one: what it is, where it is plugged in, what it speaks, its settings, and what changes.
import { ask, confirmChange } from "./change.js";
import { both, copy, fill, part, spoken } from "./dom.js";
import { lesson } from "./lesson.js";

const at = (id) => document.getElementById(id);
const editing = new URLSearchParams(location.search).get("device") ?? "";
const ICONS = { serial: "plug", camera: "camera", keys: "keyboard", hid: "microchip" };
const LOOK = 700; // ms between two looks at the ports
const chosen = { role: "", link: "", driver: "", values: null, offered: null }; // offered: the name proposed last
let facts = null; // what /api/setup says
let ports = [];
let finding = null; // {before} while somebody unplugs and plugs in
const answered = new Set(); // drivers whose family has answered

async function begin() {
  facts = await ask("GET", "/api/setup");
  for (const el of document.querySelectorAll("[data-for]")) el.hidden = el.dataset.for !== (editing ? "edit" : "add");
  door();
  const known = new Set(facts.drivers.flatMap((d) => d.roles));
  at("roles").replaceChildren(...Object.entries(facts.roles).filter(([role]) => known.has(role)).map(([role, { word, icon }]) => {
    const tile = fill(copy("tile"), { word, icon });
    tile.dataset.role = role;
    tile.addEventListener("click", () => chooseRole(role));
    return tile;
  }));
  look();
  if (editing) await edit();
}

/** The lock before everything: who may change devices, and how to become one who may. */
function door() {
  at("door").hidden = facts.may;
  for (const id of ["step-role"]) at(id).classList.toggle("locked", !facts.may);
  document.body.classList.toggle("locked", !facts.may);
  if (facts.may) return;
  both(at("door-why").querySelector("[data-pair]"), facts.why);
  at("enrol").hidden = facts.missing !== "enrol";
  at("figures").hidden = facts.missing !== "sign in";
}

async function through(work) {
  const refusal = at("door-refusal");
  refusal.hidden = true;
  try {
    await work();
    facts = { ...facts, ...(await ask("GET", "/api/setup")) };
    door();
  } catch (why) {
    refusal.hidden = !why.sentence;
    if (why.sentence) both(refusal.querySelector("[data-pair]"), why.sentence);
  }
}

at("enrol-begin").addEventListener("click", async () => {
  const offer = await ask("POST", "/api/setup/totp", {});
  const drawn = new DOMParser().parseFromString(offer.svg, "image/svg+xml").documentElement;
  at("enrol-code").replaceChildren(document.importNode(drawn, true));
  at("enrol-secret").textContent = offer.secret;
  at("enrol-password").hidden = !offer.password;
  at("enrol-form").hidden = false;
  at("enrol-begin").hidden = true;
});
at("enrol-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const password = at("enrol-password").querySelector("input").value;
  through(() => ask("POST", "/api/setup/totp/confirm", { code: at("enrol-figures").value, password }));
});
at("figures").addEventListener("submit", (event) => {
  event.preventDefault();
  through(() => ask("POST", "/api/setup/figures", { code: at("figures-code").value }));
});

function chooseRole(role) {
  chosen.role = role;
  for (const tile of at("roles").children) tile.setAttribute("aria-checked", String(tile.dataset.role === role));
  at("step-port").hidden = false;
  showDrivers();
  if (!editing) at("step-port").scrollIntoView({ block: "nearest" });
}

// ---- ports ----------------------------------------------------------------------------------------------------------

async function look() {
  try {
    const now = (await ask("GET", "/api/setup/ports")).ports;
    at("lost").hidden = true;
    notice(ports, now);
    if (JSON.stringify(now) !== JSON.stringify(ports)) {
      ports = now;
      showPorts();
      showDrivers();
    }
  } catch {
    at("lost").hidden = false;
  }
  setTimeout(look, LOOK);
}

function notice(before, now) {
  if (!finding) return;
  const names = new Set(now.map((p) => p.link));
  if (!finding.pulled) {
    const gone = before.find((p) => p.link && !names.has(p.link));
    const fresh = now.find((p) => p.link && !before.some((b) => b.link === p.link));
    if (gone) finding.pulled = gone.link;
    if (fresh && !gone) finding.pulled = fresh.link; // it was not plugged in at all
  }
  step("push", Boolean(finding.pulled) && !names.has(finding.pulled));
  step("pull", !finding.pulled);
  if (finding.pulled && names.has(finding.pulled)) {
    choosePort(finding.pulled);
    stopFinding();
    step("done", true);
  }
}

function step(name, shown) {
  at(`finding-${name}`).hidden = !shown;
}

function stopFinding() {
  finding = null;
  at("find").setAttribute("aria-pressed", "false");
  for (const name of ["pull", "push", "done"]) step(name, false);
}

at("find").addEventListener("click", () => {
  const begin = !finding;
  stopFinding();
  if (!begin) return;
  finding = { pulled: "" };
  at("find").setAttribute("aria-pressed", "true");
  step("pull", true);
});

function showPorts() {
  at("no-ports").hidden = ports.length > 0;
  at("ports").replaceChildren(...ports.filter((p) => p.link).map((p) => {
    const about = [p.about, p.usb, p.node].filter(Boolean).join(" · ");
    const li = fill(copy("port"), { ...p, about, icon: ICONS[p.kind] ?? "plug" });
    part(li, "device").hidden = !p.device || p.device === editing;
    part(li, "holder").hidden = !p.holder || Boolean(p.device);
    const button = li.querySelector("button");
    button.dataset.link = p.link;
    button.classList.toggle("chosen", at("link").value.split("?")[0] === p.link);
    button.addEventListener("click", () => choosePort(p.link));
    return li;
  }));
}

function choosePort(link) {
  at("link").value = link;
  linkChanged();
  showPorts();
}

at("link").addEventListener("input", linkChanged);
for (const id of ["baud", "parity"]) at(id).addEventListener("change", linkChanged);

function linkChanged() {
  const text = at("link").value.trim();
  at("line").hidden = !/^(serial|rfc2217|socket):/.test(text);
  chosen.link = withSettings(text);
  hideWhatIsOnlySimulated();
  at("step-driver").hidden = !/^[a-z0-9-]+:/.test(text) || !chosen.role;
  showDrivers();
}

/** The address with speed and parity, where a serial line has them. */
function withSettings(text) {
  if (!/^(serial|rfc2217):/.test(text)) return text;
  const [base, query = ""] = text.split("?");
  const kept = new URLSearchParams(query);
  for (const id of ["baud", "parity"]) if (at(id).value) kept.set(id, at(id).value);
  const all = kept.toString();
  return all ? `${base}?${all}` : base;
}

// ---- drivers --------------------------------------------------------------------------------------------------------

const scheme = () => chosen.link.split(":")[0].replace("rfc2217", "serial").replace(/^sim$/, "serial");

function showDrivers() {
  if (!facts || at("step-driver").hidden) return;
  const port = ports.find((p) => p.links.includes(chosen.link.split("?")[0]));
  const proposed = port?.proposed ?? [];
  const fit = facts.drivers.filter((d) => d.roles.includes(chosen.role) && (d.links.includes(scheme()) || chosen.link.startsWith("sim:")));
  const rank = (d) => (answered.has(d.name) ? 0 : proposed.includes(d.name) ? 1 : 2);
  fit.sort((a, b) => rank(a) - rank(b));
  at("drivers").replaceChildren(...fit.map((d) => {
    const li = fill(copy("driver"), d);
    const button = li.querySelector("button");
    button.dataset.driver = d.name;
    button.setAttribute("aria-checked", String(d.name === chosen.driver));
    button.addEventListener("click", () => chooseDriver(d.name));
    const mark = part(li, "mark");
    const why = answered.has(d.name) ? "answers" : proposed.includes(d.name) ? "usb" : "";
    mark.hidden = !why;
    if (why) {
      mark.replaceChildren(at(`mark-${why}`).content.cloneNode(true));
      mark.classList.add(why === "answers" ? "ready" : "connecting");
    }
    return li;
  }));
  const kind = ["window-screen", "hall-board"].includes(chosen.role) ? "strip" : "pad";
  at("learn").hidden = !["call-pad", "evaluator", "window-screen"].includes(chosen.role) || facts.learnable[kind].length === 0;
}

at("ask").addEventListener("click", async () => {
  at("ask").disabled = true;
  at("asked-none").hidden = true;
  answered.clear();
  try {
    const { drivers } = await ask("POST", "/api/setup/candidates", { link: chosen.link, role: chosen.role });
    at("asking").hidden = false;
    for (const driver of drivers) {
      at("asked").textContent = driver;
      const said = await ask("POST", "/api/setup/ask", { driver, link: chosen.link });
      if (said.fits) {
        answered.add(driver);
        break; // whoever answered is it: nobody else is asked
      }
    }
    at("asked-none").hidden = answered.size > 0;
    if (answered.size === 1) await chooseDriver([...answered][0]);
  } catch (why) {
    refuse(why);
  }
  at("asking").hidden = true;
  at("ask").disabled = false;
  showDrivers();
});

async function chooseDriver(name, values = null, device = "") {
  chosen.driver = name;
  showDrivers();
  const { fields, shared } = await ask("GET", `/api/setup/form/${encodeURIComponent(name)}?device=${encodeURIComponent(device)}`);
  chosen.shared = shared;
  drawFields(fields, values);
  at("windows").hidden = !["call-pad", "evaluator", "window-screen"].includes(chosen.role);
  for (const label of document.querySelectorAll("#window-rows .address")) label.hidden = !shared;
  at("step-form").hidden = false;
  if (["", chosen.offered].includes(at("name").value)) at("name").value = chosen.offered = freeName(chosen.role);
  if (!editing) at("step-form").scrollIntoView({ block: "nearest" });
}

/** The role's name, with a number when it is taken. */
function freeName(role) {
  const taken = new Set(facts.taken ?? []);
  let name = role;
  for (let n = 2; taken.has(name); n += 1) name = `${role}-${n}`;
  return name;
}

// ---- settings -------------------------------------------------------------------------------------------------------

function drawFields(fields, values) {
  at("fields").replaceChildren(...fields.map((f) => {
    const value = values && f.name in values ? values[f.name] : f.value;
    const range = f.min !== undefined || f.max !== undefined ? `${f.min ?? ""} – ${f.max ?? ""}` : "";
    const box = fill(copy("field"), { label: f.label, unit: f.unit ?? "", range: ["number", "decimal", "list"].includes(f.kind) ? range : "" });
    const help = box.querySelector(".remark");
    help.hidden = !f.help;
    if (f.help) both(help.querySelector("[data-pair]"), f.help);
    const input = control(f, value);
    input.id = `option-${f.name}`;
    input.dataset.option = f.name;
    box.querySelector("label").htmlFor = input.id;
    box.querySelector("label").after(input);
    box.classList.add(f.kind);
    if (f.simulator) box.dataset.simulator = "";
    return box;
  }));
  hideWhatIsOnlySimulated();
}

/** What only a simulated device heeds is nothing to fill in for a real one. */
function hideWhatIsOnlySimulated() {
  for (const box of at("fields").querySelectorAll("[data-simulator]")) box.hidden = !chosen.link.startsWith("sim:");
}

function control(f, value) {
  if (f.kind === "choice") {
    const select = document.createElement("select");
    select.append(...f.choices.map((one) => new Option(spoken(one.word), JSON.stringify(one.value), false, one.value === value)));
    select.dataset.kind = "json";
    return select;
  }
  if (f.kind === "switch") return Object.assign(document.createElement("input"), { type: "checkbox", checked: Boolean(value) });
  if (f.kind === "table" || f.kind === "list") {
    const text = f.kind === "table" ? Object.entries(value ?? {}).map(([k, v]) => `${k} = ${v}`) : (value ?? []).map(String);
    return Object.assign(document.createElement("textarea"), { value: text.join("\n"), rows: Math.max(2, Math.min(8, text.length)), spellcheck: false });
  }
  const input = Object.assign(document.createElement("input"), { value: value ?? "", spellcheck: false });
  if (f.kind !== "text") input.inputMode = f.kind === "number" ? "numeric" : "decimal";
  return input;
}

function options() {
  return Object.fromEntries([...document.querySelectorAll("[data-option]")].map((el) => [
    el.dataset.option,
    el.type === "checkbox" ? el.checked : el.dataset.kind === "json" ? JSON.parse(el.value) : el.value,
  ]));
}

function windowRow(address = "", window = "") {
  const li = copy("window-row");
  const [a, w] = li.querySelectorAll("input");
  a.value = address;
  w.value = window;
  li.querySelector(".address").hidden = chosen.shared === false;
  at("window-rows").append(li);
}
at("more-windows").addEventListener("click", () => windowRow(String(at("window-rows").children.length + 1)));

function windows() {
  const found = {};
  for (const li of at("window-rows").children) {
    const [a, w] = [...li.querySelectorAll("input")].map((i) => i.value.trim());
    if (w) found[a || "1"] = w;
  }
  return at("windows").hidden ? {} : found;
}

function entry() {
  return {
    name: at("name").value, driver: chosen.driver, link: chosen.link, options: options(), windows: windows(),
    bus: at("bus").checked, enabled: at("enabled").checked, instead: editing,
  };
}

at("look").addEventListener("click", async () => {
  const wanted = entry();
  try {
    const plan = await ask("POST", "/api/setup/plan", wanted);
    const saved = await confirmChange(plan, () => ask("POST", "/api/setup/save", { ...wanted, version: plan.version }));
    if (saved) location.assign(`/#${encodeURIComponent(wanted.name)}`);
  } catch (why) {
    refuse(why);
  }
});

/** What is wrong with the form itself: shown where changes are. */
function refuse(why) {
  confirmChange({ words: why.mistakes ? [] : [why.detail ?? String(why)], mistakes: why.mistakes ?? [], difference: [] }, async () => {});
}

// ---- changing one that is there -------------------------------------------------------------------------------------

async function edit() {
  const device = await ask("GET", `/api/setup/devices/${encodeURIComponent(editing)}`);
  const driver = facts.drivers.find((d) => d.name === device.driver);
  const [base, query = ""] = device.link.split("?");
  const settings = new URLSearchParams(query);
  for (const id of ["baud", "parity"]) {
    if (settings.has(id)) {
      if (![...at(id).options].some((o) => o.value === settings.get(id))) at(id).append(new Option(settings.get(id)));
      at(id).value = settings.get(id);
      settings.delete(id);
    }
  }
  at("link").value = settings.size ? `${base}?${settings}` : base;
  at("bus").checked = device.bus ?? false;
  at("enabled").checked = device.enabled ?? true;
  at("name").value = device.name;
  at("window-rows").replaceChildren();
  for (const [address, window] of Object.entries(device.windows ?? {})) windowRow(address, window);
  chooseRole(driver.roles[0]);
  linkChanged();
  await chooseDriver(device.driver, null, device.name);
}

lesson({ at, ask, chosen, facts: () => facts, take: (found) => chooseDriver(found.driver, found.options) });
windowRow("1");
begin().catch(() => { at("lost").hidden = false; });
