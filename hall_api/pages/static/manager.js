// The manager's overview of the living hall. It only shows and advises; the hall decides.
import { allow, get, order, Refusal, Silence } from "./api.js";
import { goButton, looks, part, place, sentence, whyNot } from "./calls_for_help.js";
import { $, clock, date, h, icon, keepTime, now, show, span, text } from "./dom.js";
import { GRADES } from "./faces.js";
import { Feed, soon } from "./follow.js";
import { fill, t, w } from "./words.js";

const LONG_WAIT_MIN = 30;
const STALE_MS = 10000;
const STATES = { open: ["circle-check", w("Open")], paused: ["circle-pause", w("Paused")], closed: ["circle-xmark", w("Closed")] };
const CHANNELS = { evaluator: ["star", w("Rated by evaluator")], qr: ["qrcode", w("Rated by QR code")] };
const CARDS = { green: ["circle", w("In time")], yellow: ["triangle-exclamation", w("Yellow card")], red: ["square-xmark", w("Red card")] };
const CASES = { open: w("Open case"), closed: w("Closed case") };
const FIGURES = [["issued", w("Numbers given")], ["called", w("Called")], ["recalled", w("Called again")], ["passed", w("Passed")], ["finished", w("Finished")]];
let feed = null;
let busy = false;
let drawn = null; // the alarms shown
let voice = null; // the screens' own sentence when announcements have lost their voice

const signIn = () => location.replace(`/login?next=${encodeURIComponent(location.pathname)}`);
const figure = (words, value, unit = "") => h("div", {}, h("span", {}, words), h("b", {}, value, unit ? h("small", {}, ` ${unit}`) : null));
const number = (value) => (value === null || value === undefined ? "–" : String(Math.round(value * 10) / 10));

function drawFigures(today) {
  const minutes = (seconds) => (seconds === null || seconds === undefined ? null : seconds / 60);
  const waits = today.wait_seconds ?? {};
  $("#figures").replaceChildren(...FIGURES.map(([key, words]) => figure(t(words), number(today[key]))),
    figure(t("Mean wait"), number(minutes(waits.mean)), t("min")), figure(t("95 % waited less than"), number(minutes(waits.p95)), t("min")));
}

function drawGrades(ratings) {
  const count = (grade) => ratings?.[grade] ?? ratings?.[String(grade)] ?? 0;
  const all = GRADES.reduce((sum, [grade]) => sum + count(grade), 0);
  $("#grades").replaceChildren(...GRADES.map(([grade, face, words]) => h(`li.g${grade}`, {}, icon(face), h("span", {}, t(words)),
    h("meter", { min: 0, max: Math.max(1, all), value: count(grade), "aria-label": t(words) }), h("b", {}, String(count(grade))))));
}

function drawQueues(queues) {
  $("#queues").replaceChildren(...queues.map((queue) => h("tr", {},
    h("td", {}, h("span.code", {}, queue.code), queue.name), h("td.num", {}, String(queue.waiting)),
    h(queue.wait_minutes > LONG_WAIT_MIN ? "td.num.long" : "td.num", {}, String(queue.wait_minutes)),
    h("td", {}, h("div.switch", {}, h(`span.chip.${queue.open ? "open" : "closed"}`, {}, icon(queue.open ? "circle-check" : "circle-xmark"), t(queue.open ? w("Open") : w("Closed"))),
      h("button.small", { type: "button", onclick: () => change(`/v1/queues/${queue.code}/${queue.open ? "close" : "open"}`) }, t(queue.open ? w("Stop giving numbers") : w("Give numbers again"))))))));
}

/** What a manager could do about a long wait: a paused or closed window that may call this queue. */
function drawAdvice(queues, windows) {
  const long = queues.filter((queue) => queue.waiting && queue.wait_minutes > LONG_WAIT_MIN);
  $("#advice").replaceChildren(...long.map((queue) => {
    const idle = windows.filter((window) => window.state !== "open" && (!window.queues.length || window.queues.includes(queue.code))).map((window) => window.no);
    const sentence = idle.length ? w("{name}: the wait is about {minutes} min. Open window {windows}, or ask the guide to explain.")
      : w("{name}: the wait is about {minutes} min and every window for it is open. Ask the guide to explain, and consider longer hours.");
    return h("li", {}, icon("triangle-exclamation"), fill(t(sentence), { name: `${queue.code} ${queue.name}`, minutes: queue.wait_minutes, windows: idle.join("、") }));
  }));
}

function drawWindows(windows) {
  $("#windows").replaceChildren(...windows.map((window) => {
    const [name, words] = STATES[window.state] ?? STATES.closed;
    const ticket = window.ticket;
    return h(`li.${window.state}`, {},
      h("header", {}, h("b", {}, String(window.no)), h(`span.chip.${window.state}`, {}, icon(name), t(words))),
      h("span.soft", {}, window.name),
      h("span.ticket", {}, ticket?.number ?? "–"),
      h("span.soft", {}, ticket ? `${t(ticket.state === "serving" ? w("Being served") : w("Being called"))} ${span(ticket.started_at ?? ticket.called_at)}` : window.reason || " "),
      h("span.soft.channel", {}, icon(CHANNELS[window.channel][0]), t(CHANNELS[window.channel][1])),
      h("span.soft", {}, window.clerk ? `${window.clerk.name} · ${window.clerk.work_no}` : t("no clerk")));
  }));
}

/** Citizens who wait for a person first, then what does not work. */
function drawAlarms(stored) {
  const alarms = [...voice ? [voice] : [], ...stored];
  if (drawn === looks(alarms)) return;
  drawn = looks(alarms);
  const { calls, troubles } = part(alarms);
  place(calls);
  const since = (alarm) => fill(t("since {time}"), { time: clock(alarm.since) });
  text("#alarm-count", calls.length + troubles.length || "");
  $("#alarms").replaceChildren(
    ...calls.map((call) => h("li.call", {}, icon("hand"), h("strong", {}, sentence(call)), goButton(call, wentThere), h("small", {}, since(call)))),
    ...troubles.map((alarm) => h("li", {}, icon("bell"), h("strong", {}, alarm.reason), h("small", {}, `${alarm.machine} · ${alarm.device} · ${since(alarm)}`))),
    calls.length + troubles.length ? "" : h("li.well", {}, icon("circle-check"), t("Everything works.")));
}

async function wentThere(trouble) {
  if (trouble instanceof Refusal && trouble.status === 401) return signIn();
  refuse(trouble ? whyNot(trouble) : "");
  await refreshAlarms();
}

function drawCases(cases) {
  text("#case-count", cases.length || "");
  show("#cases-none", cases.length === 0);
  $("#cases").replaceChildren(...cases.map((one) => {
    const [name, words] = CARDS[one.card] ?? CARDS.green;
    return h("tr", {}, h("td", {}, `${t(CASES[one.state] ?? CASES.open)} ${String(one.id).slice(-4)}`), h("td", {}, h("b", {}, one.number)), h("td", {}, String(one.window)), h("td", {}, one.clerk),
      h("td", {}, t(GRADES.find(([grade]) => grade === one.grade)?.[2] ?? "")), h("td", {}, date(one.due_at)), h("td", {}, h(`span.chip.${one.card}`, {}, icon(name), t(words))));
  }));
}

/** Shows what `fetching` brings; a refusal as its sentence. */
async function look(fetching) {
  try {
    await fetching();
  } catch (trouble) {
    if (!(trouble instanceof Refusal || trouble instanceof Silence)) throw trouble;
    if (trouble instanceof Silence) return; // it shows itself in the banner
    if (trouble.status === 401) return signIn();
    refuse(trouble.message);
  }
}

const refreshAlarms = () => look(async () => drawAlarms((await get("/v1/alarms")).alarms));
const refresh = () => look(async () => {
  const [queues, windows, today, alarms, cases] = await Promise.all(["queues", "windows", "day", "alarms", "cases"].map((door) => get(`/v1/${door}`)));
  drawFigures(today);
  drawGrades(today.ratings);
  drawQueues(queues.queues);
  drawAdvice(queues.queues, windows.windows);
  drawWindows(windows.windows);
  drawAlarms(alarms.alarms);
  drawCases(cases.cases);
});

function refuse(sentence) {
  text("#refusal", sentence);
  show("#refusal", Boolean(sentence));
}

async function change(path) {
  if (busy) return;
  busy = true;
  refuse("");
  try {
    await order(path);
  } catch (trouble) {
    refuse(trouble instanceof Refusal ? trouble.message : t("The hall does not answer. Please try again."));
  }
  await refresh();
  busy = false;
}

/** Announcements are the screens' business; a hall without them has no such door. */
async function listenToVoice() {
  const { state, reason } = await get("/voice/state.json").catch(() => ({ state: "ready" }));
  const since = voice?.since ?? now().toISOString();
  voice = state === "ready" ? null : { machine: t("Hall"), device: t("Announcements"), reason, since };
}

function tick() {
  text("#clock", clock());
  const lost = feed.silence > STALE_MS;
  show("#lost", lost);
  if (lost) text("#lost-text", fill(t("No connection to the hall; trying again. Data as of {time}"), { time: clock(new Date(feed.contact)) }));
}

async function begin() {
  try {
    const person = await get("/v1/sessions");
    allow(person.csrf);
    text("#person", person.name);
  } catch (trouble) {
    if (trouble instanceof Refusal) return signIn();
    return setTimeout(begin, 2000);
  }
  const hall = await get("/v1/hall");
  keepTime(hall);
  text("#hall-name", hall.name);
  text("#hall-english", hall.english);
  $("#leave").addEventListener("click", async () => { await order("/v1/sessions", undefined, { method: "DELETE" }).catch(() => {}); signIn(); });
  const refreshSoon = soon(refresh, 700);
  const alarmsSoon = soon(refreshAlarms, 0);
  const hear = (event) => (event.type.startsWith("Alarm") ? alarmsSoon() : refreshSoon());
  feed = new Feed({ after: (await get("/v1/healthz")).seq, onEvent: hear, onAgain: refreshSoon, rests: true }).start();
  await listenToVoice();
  await refresh();
  setInterval(tick, 500);
  setInterval(listenToVoice, 60000);
  setInterval(refreshSoon, 20000); // estimated waits grow without an event
  tick();
}

begin();
