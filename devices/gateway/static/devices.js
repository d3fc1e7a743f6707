// The technician's page: follows the station's feed, shows the list and the chosen device, and tries devices out.
import { clock, copy, fill, isSignedIn, refill, roles } from "./dom.js";
import { showDevice } from "./device.js";

const body = document.body;
const list = document.getElementById("list");
const lost = document.getElementById("lost");
const flow = document.getElementById("flow-on");
const wide = matchMedia("(min-width: 900px)");
const ORDER = ["error", "absent", "connecting", "degraded", "mute", "ready", "disabled"];
const SILENCE = 15000; // ms without a word from the station, whose heart beats every ten seconds

let feed = null;
let heardAt = null;
let watch = 0;
let newest = null;

const chosen = () => decodeURIComponent(location.hash.slice(1));

function follow() {
  feed?.close();
  feed = new EventSource(`/api/feed?device=${encodeURIComponent(chosen())}`);
  feed.onmessage = (event) => {
    heardAt = new Date();
    reached(true);
    show(JSON.parse(event.data));
  };
  feed.addEventListener("beat", () => {
    heardAt = new Date();
    reached(true);
  });
  feed.onerror = () => {
    reached(false);
    if (feed.readyState === EventSource.CLOSED) asked();
  };
}

/** A feed that was turned away for good: signed out, or the station has a new key. Otherwise try again. */
async function asked() {
  if (await isSignedIn()) setTimeout(follow, 2000);
}

function reached(yes) {
  clearTimeout(watch);
  if (yes) watch = setTimeout(() => reached(false), SILENCE);
  lost.hidden = yes;
  flow.hidden = !yes;
  body.classList.toggle("stale", !yes);
  if (!yes && heardAt) for (const id of ["as-of", "as-of-too"]) document.getElementById(id).textContent = clock(heardAt);
}

function show(seen) {
  newest = seen;
  const name = chosen();
  document.getElementById("nothing").hidden = seen.devices.length > 0;
  body.classList.toggle("bare", seen.devices.length === 0);
  tally(seen.devices);
  rows(seen.devices, name);
  if (!seen.device && seen.devices.length && wide.matches) {
    location.replace(`#${encodeURIComponent(seen.devices[0].name)}`);
    return;
  }
  body.dataset.view = seen.device ? "one" : "list";
  if (!seen.device || seen.device.name === name) showDevice(seen);
}

function tally(devices) {
  const counts = new Map();
  for (const d of devices) {
    const at = counts.get(d.state) ?? { state: d.state, word: d.word, shape: d.shape, count: 0 };
    at.count += 1;
    counts.set(d.state, at);
  }
  const worstFirst = [...counts.values()].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  refill(document.getElementById("tally"), worstFirst, (one) => {
    const chip = fill(copy("tally-one"), one);
    chip.classList.add(one.state);
    return chip;
  });
}

function rows(devices, name) {
  const known = new Map([...list.children].map((li) => [li.dataset.name, li]));
  const wanted = devices.map((d) => {
    const li = known.get(d.name) ?? copy("row");
    const link = li.querySelector("a");
    li.dataset.name = d.name;
    link.setAttribute("href", `#${encodeURIComponent(d.name)}`);
    if (d.name === name) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    link.querySelector(".chip").className = `chip ${d.state}`;
    return fill(li, { ...d, role: roles(d) });
  });
  if (wanted.length !== list.children.length || wanted.some((li, i) => list.children[i] !== li)) list.replaceChildren(...wanted);
}

addEventListener("hashchange", () => {
  if (!chosen()) body.dataset.view = "list";
  if (newest) rows(newest.devices, chosen());
  follow();
});
wide.addEventListener("change", () => newest && show(newest));
document.getElementById("leave")?.addEventListener("click", async () => {
  const csrf = document.querySelector("meta[name=csrf]").content;
  await fetch("/api/session", { method: "DELETE", headers: { "X-CSRF-Token": csrf } });
  location.replace("/login");
});
follow();
