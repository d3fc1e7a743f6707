// The sample page: everything bianmin-devices.js can do, one button each, and in words what is in the way.
import { Gateway, GatewayError } from "./bianmin-devices.js";
import { ScanPanel } from "./bianmin-scan.js";
import { both, copy, fill, part, refill, roles } from "/static/dom.js";

const $ = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search).get("gateway");
const gateway = new Gateway({ address: asked ?? location.origin, name: document.title });
globalThis.gateway = gateway; // for trying things in the browser's console
$("address").textContent = gateway.address;
$("confirm").href = `${gateway.address}/v1/pair`;

const SLIP = { hall: "示例大厅", service: "示例事项", number: "A001", ahead: 0, time: new Date().toLocaleString("zh-CN") };
const cards = new Map(); // device name → its element

const deeds = {
  card: (device) => gateway.readCard({ device, seconds: 20 }),
  document: (device) => gateway.readDocument({ device, seconds: 20 }),
  rating: (device) => gateway.askRating({ device, seconds: 15 }),
  slip: (device) => gateway.printSlip(SLIP, { device }),
  page: (device) => gateway.printPage(samplePdf(), { device, title: "sample" }),
  code: (device) => gateway.scan({ device, seconds: 20 }),
  still: (device) => gateway.still({ device }),
  stream: (device) => gateway.stream({ device }),
  scan: (device) => scan(device),
  text: (device) => gateway.showText("请 A001 到 1 号窗口", { device }),
};

let panel = null;

/** Open the panel, its last button handing the PDF to this page. */
async function scan(device) {
  await panel?.close();
  panel = new ScanPanel(gateway, $("scan"), {
    device,
    done: {
      words: words("scan-hand"),
      act: async (scan, mark) => tell(device, [`PDF ${(await scan.file({ kind: "pdf", mark })).size} B`, ""], "done"),
    },
    closed: () => { $("scan").hidden = true; },
  });
  await panel.start();
  $("scan").hidden = false;
  $("scan").scrollIntoView({ block: "start" });
}

async function look() {
  const way = await gateway.whatIsInTheWay();
  $("way").hidden = way === null;
  if (way) both($("way").querySelector("[data-pair=way]"), way.sentence);
  $("pair").hidden = !["not-paired", "wrong-token", "revoked"].includes(way?.code);
  stand(way === null);
  if (way === null && !gateway.socket) await gateway.open();
  if (way !== null) $("devices").replaceChildren(), cards.clear();
}

function stand(open) {
  const chip = $("stand");
  chip.className = `chip ${open ? "ready" : "degraded"}`;
  chip.querySelector("i").className = `fa-solid fa-${open ? "circle-check" : "triangle-exclamation"}`;
  both(chip.querySelector(".pair"), words(`stand-${open ? "open" : "shut"}`));
}

$("again").addEventListener("click", look);
$("pair").addEventListener("click", async () => {
  $("pair").disabled = true;
  try {
    await gateway.pair({ onCode: (code) => { $("code").textContent = code; $("asked").hidden = false; } });
  } catch (error) {
    both($("way").querySelector("[data-pair=way]"), sentence(error));
    return;
  } finally {
    $("pair").disabled = false;
    $("asked").hidden = true;
  }
  await look();
});

gateway.addEventListener("devices", ({ detail }) => {
  $("way").hidden = true;
  stand(true);
  detail.forEach(show);
});
gateway.addEventListener("lost", () => look());
gateway.addEventListener("taken", ({ detail }) => tell(detail.device, words("told-taken"), "done"));
gateway.addEventListener("owned", ({ detail }) => tell(detail.device, words("told-waits"), "unknown"));
gateway.addEventListener("released", ({ detail }) => part(cards.get(detail.device), "told").hidden = true);

function show(device) {
  let card = cards.get(device.name);
  if (!card) {
    card = copy("device");
    card.dataset.name = device.name;
    cards.set(device.name, card);
    $("devices").append(card);
  }
  fill(card, { ...device, role: roles({ roles: device.called }), owner: device.owner ?? "" });
  part(card, "chip").className = `chip ${device.state}`;
  part(card, "reason").hidden = !device.reason[0];
  part(card, "owned").hidden = !device.owner || device.yours;
  const kept = gateway.kept.has(device.name);
  refill(part(card, "deeds"), [...device.can, kept ? "release" : "take"], (deed) => button(device.name, deed));
}

function button(device, deed) {
  const made = document.getElementById(`deed-${deed}`).content.firstElementChild.cloneNode(true);
  made.addEventListener("click", () => (deed === "take" || deed === "release" ? keep(device, deed) : attempt(device, deed, made)));
  return made;
}

function keep(device, deed) {
  if (deed === "take") gateway.take(device, { wait: true });
  else gateway.release(device);
  show(gateway.devices.find((one) => one.name === device));
}

async function attempt(device, deed, pressed) {
  const card = cards.get(device);
  pressed.disabled = true;
  part(card, "facts").replaceChildren();
  tell(device, words("told-busy"), "busy");
  try {
    await result(device, card, deed, await deeds[deed](device));
  } catch (error) {
    tell(device, sentence(error), "failed");
    if (error instanceof GatewayError && ["not-paired", "wrong-token", "not-there"].includes(error.code)) await look();
  } finally {
    pressed.disabled = false;
  }
}

async function result(device, card, deed, got) {
  if (deed === "scan") return void (part(card, "told").hidden = true);
  if (deed === "still" || deed === "stream") {
    const picture = part(card, "picture");
    const img = picture.querySelector("img");
    img.src = deed === "still" ? URL.createObjectURL(got) : got;
    if (deed === "still") img.onload = () => URL.revokeObjectURL(img.src); // the browser keeps it no longer than it is shown
    picture.hidden = false;
  }
  if (deed === "card" || deed === "document" || deed === "code") {
    const facts = Object.entries(got).filter(([, value]) => value !== "" && value !== false);
    refill(part(card, "facts"), facts, ([key, value]) => fill(copy("fact"), { key, value }));
  }
  if (deed === "rating") tell(device, got.grade ? [got.word, `grade ${got.grade}`] : words("told-none"), got.grade ? "done" : "unknown");
  else if (got.result === "unknown") tell(device, got.sentence, "unknown");
  else tell(device, words("told-done"), "done");
}

const SIGNS = { done: "circle-check", unknown: "circle-question", failed: "circle-xmark", busy: "spinner" };

function tell(device, pair, kind) {
  const told = part(cards.get(device), "told");
  const sign = document.createElement("i");
  sign.className = `fa-solid fa-${SIGNS[kind]}`;
  const said = document.createElement("span");
  said.className = "pair";
  for (const [i, which] of ["first", "second"].entries()) {
    const line = document.createElement("span");
    line.className = which;
    line.textContent = pair[i];
    said.append(line);
  }
  told.replaceChildren(sign, said);
  told.className = `told outcome ${kind}`;
  told.hidden = false;
}

function words(id) {
  return [...document.getElementById(id).content.querySelectorAll(".first, .second")].map((el) => el.textContent);
}

function sentence(error) {
  return error instanceof GatewayError ? error.sentence : [String(error), ""];
}

/** A one-page PDF with a frame and a sentence. */
function samplePdf() {
  const drawing = "1 w 36 36 523 770 re S BT /F 18 Tf 72 720 Td (A page printed from a web page.) Tj ET";
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
    `<</Length ${drawing.length}>>stream\n${drawing}\nendstream`,
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
  ];
  let pdf = "%PDF-1.4\n";
  const places = objects.map((body, i) => {
    const at = pdf.length;
    pdf += `${i + 1} 0 obj${body}\nendobj\n`;
    return `${String(at).padStart(10, "0")} 00000 n \n`;
  });
  const end = pdf.length;
  pdf += `xref\n0 6\n0000000000 65535 f \n${places.join("")}trailer<</Size 6/Root 1 0 R>>\nstartxref\n${end}\n%%EOF\n`;
  return new TextEncoder().encode(pdf);
}

await look();
