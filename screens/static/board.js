// The hall board: the latest calls, who waits where, announcements; honest about the age of what it shows.
import { get, Refusal } from "/static/api.js";
import { $, clock, day, dayEnglish, h, icon, keepTime, now, pair, show, text } from "/static/dom.js";
import { Feed, soon } from "/static/follow.js";
import { Announcer } from "./announcer.js";
import { both, fill, t, w } from "./words.js";

const ROWS = 6;
const QUEUES = 8;
const FEW = 5; // so many queues stand at ease
const AIRY = 0.94; // how much of a row its name may fill
const LONG_NAME = 16; // letters of a hall's name that fit in one line
const STALE_MS = 10000;
const PATIENCE_MS = 2500; // for the first answer, before the sign shows
const begun = Date.now();
const NOTICE_MS = 8000;
const NOTICE_LETTERS = 40;
const options = new URLSearchParams(location.search);
const zone = options.get("zone"); // this board's part of the hall; left out: the whole hall
const quiet = options.get("sound") === "off";
let calls = [];
let feed = null;
let shown = null; // when the data on the screen was last known to be true
let notices = [""];

const mine = (call) => !zone || !call.zone || call.zone === zone;

function row(call) {
  return h("li", { "data-number": call.number, "data-window": call.window },
    h("span.number", {}, call.number), h("span.arrow", {}, icon("arrow-right-long")),
    h("span.where", {}, h("b", {}, String(call.window)), pair(both(w("Window")))));
}

function drawCalls(flash) {
  const list = calls.slice(0, ROWS);
  $("#calls").replaceChildren(...list.map(row));
  show("#calls", list.length > 0);
  show("#nobody", list.length === 0);
  if (flash) $("#calls").firstElementChild?.classList.add("flash");
}

/** Each number once, at its newest call. */
const latest = (list) => list.filter((call, i) => list.findIndex((other) => other.number === call.number) === i);
const face = (list) => list.slice(0, ROWS).map((call) => `${call.number}>${call.window}`).join(" ");

/** A call stands at the top; the same number is not shown twice. */
function take(call, flash) {
  if (!mine(call)) return;
  calls = latest([call, ...calls]).slice(0, 12);
  drawCalls(flash);
}

function drawQueues(queues) {
  const here = queues.filter((queue) => !zone || !queue.zone || queue.zone === zone).slice(0, QUEUES);
  $("#queues").replaceChildren(...here.map((queue) => h("li", { "data-queue": queue.code },
    h("span.code", {}, queue.code), pair([queue.name, queue.english]),
    h("span.waiting", {}, String(queue.waiting)), h("span.minutes", {}, queue.open ? fill(t("{n} min"), { n: queue.wait_minutes }) : t("closed")))));
  document.body.dataset.many = String(here.length > FEW);
  fit();
}

/** A long name gives up its second language, then some of its size; it is never cut off. */
function fit() {
  for (const row of document.querySelectorAll("#queues li")) {
    const name = $(".pair", row);
    row.classList.remove("tight", "tighter");
    for (const step of ["tight", "tighter"]) if (name.offsetHeight > row.clientHeight * AIRY) row.classList.add(step);
  }
}

/** A long notice is turned over page by page instead of running along. */
function pages(notice) {
  const found = [""];
  for (const clause of (notice ?? "").match(/[^。；！？;!?]+[。；！？;!?]*\s*/g) ?? []) {
    if (found.at(-1) && found.at(-1).length + clause.length > NOTICE_LETTERS) found.push(clause);
    else found[found.length - 1] += clause;
  }
  return found;
}

async function refresh() {
  try {
    const board = await get("/v1/board");
    const before = face(calls);
    calls = latest(board.calls.filter(mine));
    // What an event has already shown is left alone, so that it finishes its flashing.
    if (face(calls) !== before) drawCalls(!feed?.enrolled && before !== "" && calls[0]?.recall === 0);
    drawQueues(board.queues);
    notices = pages(board.notice);
    keepTime({ now: board.as_of });
    alive();
    return board.seq;
  } catch (trouble) {
    if (trouble instanceof Refusal) text("#notice", trouble.message);
    return null;
  }
}

const alive = () => { shown = now(); };
const announcer = new Announcer({ silent: quiet, onBlocked: (blocked) => sign(blocked) });
// A thousand boards must not ask at once: the counts follow within a second, the call itself is already shown.
const refreshSoon = soon(refresh, () => 300 + Math.random() * 1200);

function hear({ seq, at, type, data }) {
  if (type === "TicketCalled" || type === "TicketRecalled") {
    take({ number: data.number, window: data.window, zone: data.zone, at }, true);
    if (mine(data)) announcer.call(seq, data.number, Date.parse(at), now());
  }
  refreshSoon();
}

function sign(blocked) {
  show("#sound", !quiet && (blocked || !feed?.enrolled));
  $("#sound").disabled = !blocked;
  text("#sound-text", blocked ? t("Press here to turn the sound on") : t("No sound: this screen is not enrolled"));
}

function tick() {
  text("#clock", clock());
  text("#day", day());
  text("#day-english", dayEnglish());
  const stale = feed ? feed.silence > STALE_MS : Date.now() - begun > PATIENCE_MS;
  show("#stale", stale);
  document.body.dataset.stale = String(stale || !feed);
  if (stale && shown) text("#stale-text", fill(t("Data as of {time}"), { time: clock(shown) }));
  if (stale && !shown) text("#stale-text", t("Waiting for the hall"));
  text("#notice", notices[Math.floor(Date.now() / NOTICE_MS) % notices.length]);
  if (feed && !feed.enrolled && !announcer.blocked) sign(false);
}

async function begin() {
  addEventListener("resize", fit);
  document.fonts.ready.then(fit);
  setInterval(tick, 500);
  tick();
  for (let seq = null; seq === null;) {
    try {
      const hall = await get("/v1/hall");
      keepTime(hall);
      text("#hall-name", hall.name);
      document.body.classList.toggle("long-name", hall.name.length > LONG_NAME);
      text("#hall-english", hall.english);
      text("#phone", hall.complaint_phone);
      document.title = `${t("Hall board")} · ${hall.name}`;
      seq = await refresh();
      feed = seq === null ? null : new Feed({ after: seq, onEvent: hear, onAgain: refreshSoon, onContact: alive }).start();
    } catch { /* the hall is not up yet: the sign says so */ }
    if (seq === null) await new Promise((wake) => setTimeout(wake, 1500));
  }
  drawCalls(false);
  tick();
  if (!quiet) announcer.begin($("#sound"));
}

begin();
