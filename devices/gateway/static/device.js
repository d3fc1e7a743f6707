// One device: its state and why, its tests, what it said, what passed on its cable.
import { both, copy, fill, part, refill, roles, wording } from "./dom.js";

const place = document.getElementById("one");
const csrf = document.querySelector("meta[name=csrf]").content;
const LIVE = 60000; // ms; the station ends a live picture then
let article = null;
let shown = null;
let held = false;

/** Show the chosen device of a snapshot; nothing when none is chosen. */
export function showDevice({ device, trials, live }) {
  if (!device) {
    place.replaceChildren();
    article = shown = null;
    return;
  }
  if (shown !== device.name) begin(device.name);
  const c = device.counters;
  fill(article, {
    ...device,
    role: roles(device),
    windows: device.windows.map((w) => `${w.address} → ${w.window}`).join("，"),
    bytes: `${c.bytes_in ?? 0} / ${c.bytes_out ?? 0}`,
    opened: `${c.opened ?? 0} / ${c.lost ?? 0}`,
    outcomes: `${c.obeyed ?? 0} / ${c.refused ?? 0} / ${c.unconfirmed ?? 0}`,
  });
  article.querySelector(".chip.large").className = `chip large ${device.state}`;
  const why = part(article, "why");
  why.hidden = !device.reason[0] && !device.advice.length;
  why.className = `card why ${device.state}`;
  part(article, "windows").hidden = device.windows.length === 0;
  part(article, "paper").hidden = !device.paper;
  refill(part(article, "advice"), device.advice, (advice) => fill(copy("advice"), { advised: advice }));
  refill(part(article, "trials"), trials, (trial) => button(device.name, trial));
  part(article, "no-trials").hidden = trials.length > 0;
  part(article, "live").hidden = !live;
  const accept = part(article, "accept");
  if (accept) accept.hidden = !device.exchanged;
  refill(part(article, "news"), device.news, told);
  part(article, "no-news").hidden = device.news.length > 0;
  if (!held) refill(part(article, "exchanges"), device.exchanges, exchange);
  part(article, "no-exchanges").hidden = device.exchanges.length > 0;
}

function begin(name) {
  shown = name;
  held = false;
  article = copy("device");
  place.replaceChildren(article);
  place.scrollTop = 0;
  const hold = part(article, "hold");
  hold.addEventListener("click", () => {
    held = !held;
    hold.setAttribute("aria-pressed", String(held));
  });
  part(article, "live").addEventListener("click", () => watch(name));
  const edit = part(article, "edit");
  if (!edit) return;
  edit.setAttribute("href", `/setup?device=${encodeURIComponent(name)}`);
  for (const deed of ["remove", "accept"]) {
    part(article, deed).addEventListener("click", () => dispatchEvent(new CustomEvent(`device-${deed}`, { detail: name })));
  }
}

function told(news) {
  const li = fill(copy("news"), news);
  li.classList.toggle("over", news.over);
  return li;
}

function exchange(one) {
  const li = fill(copy("exchange"), {
    at: one.at,
    size: `${one.size} B`,
    data: one.data || wording("withheld"),
    words: one.words,
    arrow: one.direction === "in" ? "arrow-left" : "arrow-right",
  });
  li.className = one.direction;
  li.querySelector("[data-pair=way]").replaceWith(document.getElementById(`way-${one.direction}`).content.cloneNode(true));
  return li;
}

function button(name, trial) {
  const box = fill(copy("trial"), { label: trial.label, ...(trial.cannot && { lack: trial.cannot }) });
  const press = box.querySelector("button");
  const choose = box.querySelector("select");
  part(box, "cannot").hidden = !trial.cannot;
  press.disabled = Boolean(trial.cannot);
  choose.hidden = trial.addresses.length === 0;
  choose.append(...trial.addresses.map(({ address, label }) => new Option(label, address)));
  press.addEventListener("click", () => attempt(name, trial.key, Number(choose.value || 0)));
  return box;
}

/** Send the order of a test button and show what came of it. */
async function attempt(name, key, address) {
  const home = article;
  const result = part(home, "result");
  const buttons = [...home.querySelectorAll(".trial button")];
  const able = buttons.filter((b) => !b.disabled);
  for (const b of able) b.disabled = true;
  part(home, "picture").hidden = true;
  result.replaceChildren(copy("busy"));
  result.hidden = false;
  try {
    result.replaceChildren(await outcome(home, name, key, address));
  } catch {
    result.replaceChildren(copy("unreached"));
  }
  for (const b of able) b.disabled = false;
}

async function outcome(home, name, key, address) {
  const answer = await fetch(`/api/devices/${encodeURIComponent(name)}/trials/${key}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify({ address }),
  });
  const said = await answer.json();
  if (!answer.ok) return fill(copy("refused"), { sentence: said.sentence });
  const box = fill(copy("outcome"), { sign: said.shape, sentence: said.sentence });
  box.querySelector(".outcome").classList.add(said.result);
  for (const what of ["reason", "hint"]) {
    const line = part(box, what);
    line.hidden = !said[what];
    if (said[what]) both(line.querySelector("[data-pair]"), said[what]);
  }
  refill(part(box, "told"), said.news, (news) => fill(copy("told"), news));
  if (said.picture) picture(home, `/api/devices/${encodeURIComponent(name)}/still?at=${Date.now()}`);
  return box;
}

function picture(home, address) {
  const figure = part(home, "picture");
  figure.querySelector("img").src = address;
  figure.hidden = false;
}

function watch(name) {
  const home = article;
  picture(home, `/api/devices/${encodeURIComponent(name)}/live?at=${Date.now()}`);
  setTimeout(() => { part(home, "picture").hidden = true; }, LIVE);
}
