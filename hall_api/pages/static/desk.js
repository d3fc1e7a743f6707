// The clerk's desk: shows one window as the hall knows it, and asks the hall for what the clerk wants.
//
// Nothing is decided here. After any event of the window (a pad may have been pressed) everything is fetched anew.
import { allow, get, intent, order, Refusal, Silence } from "./api.js";
import { Strip, whyNot } from "./calls_for_help.js";
import { ask, choosing, closeChoices, pressInChoices } from "./desk_choices.js";
import { drawClock, drawPerson, drawWindow, drawWaiting, note, noteEvent, say } from "./desk_view.js";
import { $, clock, keepTime, show, text } from "./dom.js";
import { Papers } from "./desk_papers.js";
import { Feed, soon } from "./follow.js";
import { fill, t, w } from "./words.js";

const SETTLE_MS = 450; // a second click of a double click is not a second wish
const STALE_MS = 10000;
const state = { person: null, no: null, window: null, lists: { waiting: [], held: [], passed: [] }, queues: [], windows: [], priorities: [] };
let busy = false;
let feed = null;
let strip = null;
let papers = null;

// ---- asking ------------------------------------------------------------------------------------------------

/** Carries out one wish of the clerk: once, however often the key is pressed; says what the hall says. */
async function wish(path, body, done = null) {
  if (busy) return;
  busy = true;
  const settled = performance.now() + SETTLE_MS;
  document.body.dataset.busy = "";
  try {
    const answer = await order(path, body, { key: intent() });
    closeChoices();
    if (done) say(done(answer), true); else say("");
  } catch (trouble) {
    closeChoices();
    if (trouble instanceof Refusal && trouble.status === 401) return signIn();
    if (!(trouble instanceof Refusal || trouble instanceof Silence)) throw trouble;
    const sentence = trouble instanceof Refusal ? trouble.message
      : t("The hall does not answer. Look at the number shown before you press again.");
    say(sentence);
    note(sentence, true);
  } finally {
    await refresh();
    await new Promise((wake) => setTimeout(wake, settled - performance.now()));
    busy = false;
    delete document.body.dataset.busy;
    paint();
  }
}

const held = () => state.window?.ticket ?? null;
const onTicket = (verb, body = {}) => held() && wish(`/v1/tickets/${held().id}/${verb}`, body);
const onWindow = (verb, body = {}, done = null) => wish(`/v1/windows/${state.no}/${verb}`, body, done);
const callNext = (finish = null) => onWindow("call-next", { finish }, (ticket) => (ticket ? "" : t("Nobody waits for this window.")));

const OUTCOMES = [
  ["done", "circle-check", w("Done on the spot")],
  ["accepted", "file-circle-check", w("Accepted, result later")],
  ["notice", "file-lines", w("One-time notice given")],
  ["tolerant", "file-circle-plus", w("Accepted tolerantly, papers to follow")],
  ["referred", "signs-post", w("Referred elsewhere")],
];
const REASONS = [w("Short absence"), w("Sorting papers"), w("Meal break"), w("Device trouble"), w("Meeting")];

function finish() {
  if (!held()) return;
  ask(w("How did it end?"), OUTCOMES.map(([code, icon, words]) => ({ icon, words, act: (also) => (also ? callNext(code) : onTicket("finish", { outcome: code })) })), { also: true });
}

function transfer() {
  if (!held()) return;
  const queues = state.queues.filter((queue) => queue.code !== held().queue && queue.open)
    .map((queue) => ({ icon: "people-line", plain: [`${queue.code} ${queue.name}`, queue.english], act: () => onTicket("transfer", { queue: queue.code }) }));
  const windows = state.windows.filter((window) => window.no !== state.no && window.state !== "closed")
    .map((window) => ({ icon: "table-cells", plain: [fill(t("Window {no}"), { no: window.no }) + ` ${window.name}`, ""], act: () => onTicket("transfer", { window: window.no }) }));
  ask(w("Where to?"), [...queues, ...windows]);
}

function pause() {
  ask(w("Why does the window pause?"), REASONS.map((words) => ({ icon: "pause", words, act: () => onWindow("pause", { reason: t(words) }) })));
}

function issue() {
  const open = state.queues.filter((queue) => queue.open);
  ask(w("A ticket for which queue?"), open.map((queue) => ({ icon: "ticket", plain: [`${queue.code} ${queue.name}`, queue.english], act: () => claim(queue) })), { keep: true });
}

function claim(queue) {
  const give = (priority) => wish("/v1/tickets", { queue: queue.code, priority }, (ticket) => fill(t("Number {number} given out; {ahead} ahead."), ticket));
  ask(w("Served first?"), [
    { icon: "person", words: w("No, ordinary"), act: () => give(null) },
    ...state.priorities.map((one) => ({ icon: "star", plain: [one.name, one.english], act: () => give(one.code) })),
  ]);
}

function callOne(ticket) {
  if (held()) return say(t("Finish, pass or hold the present number first."));
  ask(w("Call this number before the others?"), [{ icon: "bullhorn", plain: [ticket.number, ticket.service_name || ticket.queue_name], act: () => onWindow("call", { number: ticket.number, finish: null }) }]);
}

// ---- the one next action -----------------------------------------------------------------------------------

const MAIN = {
  closed: { icon: "door-open", words: w("Open window"), act: () => onWindow("open", { staff: null }) },
  paused: { icon: "play", words: w("Resume"), act: () => onWindow("resume") },
  idle: { icon: "bullhorn", words: w("Call next"), act: () => callNext() },
  called: { icon: "handshake", words: w("Start service"), act: () => onTicket("start") },
  serving: { icon: "circle-check", words: w("Finish"), act: finish },
};

function stage() {
  if (held()) return held().state === "serving" ? "serving" : "called";
  return { closed: "closed", paused: "paused" }[state.window?.state] ?? "idle";
}

const DEEDS = { R: ["recall", () => onTicket("recall")], S: ["start", () => onTicket("start")], F: ["finish", finish], P: ["pass", () => onTicket("pass")], H: ["hold", () => onTicket("hold")], T: ["transfer", transfer] };
const ALLOWED = { called: ["recall", "start", "finish", "pass", "transfer"], serving: ["finish", "hold", "transfer"] };
const OTHER_KEYS = { B: () => !$("#pause").hidden && pause(), N: issue, G: () => strip.press(), M: () => held() && papers.open(held()) };

// ---- showing -----------------------------------------------------------------------------------------------

function paint() {
  if (!state.window) return;
  const now = stage();
  drawWindow(state.window, now, MAIN[now], state.lists);
  drawWaiting(state, {
    call: callOne,
    verify: (ticket, accept) => wish(`/v1/tickets/${ticket.id}/verify-priority`, { accept, age: null }),
    resume: (ticket) => wish(`/v1/tickets/${ticket.id}/resume`, { window: state.no }),
    rejoin: (ticket) => wish(`/v1/tickets/${ticket.id}/rejoin`, {}, () => fill(t("{number} waits again."), ticket)),
  });
  const allowed = ALLOWED[now] ?? [];
  for (const [, [id]] of Object.entries(DEEDS)) $(`#${id}`).disabled = !allowed.includes(id);
  $("#main").disabled = busy;
  papers.follow(held());
}

/** Shows what `fetching` brings; a refusal as its sentence. */
async function look(fetching) {
  try {
    await fetching();
  } catch (trouble) {
    if (trouble instanceof Refusal && trouble.status === 401) signIn();
    else if (trouble instanceof Refusal) say(trouble.message);
    else if (!(trouble instanceof Silence)) throw trouble; // silence shows itself in the banner
  }
}

const refresh = () => look(async () => {
  const [window, lists, queues, windows] = await Promise.all([
    get(`/v1/windows/${state.no}`), get(`/v1/windows/${state.no}/waiting`), get("/v1/queues"), get("/v1/windows"),
  ]);
  if (window.ticket) Object.assign(window.ticket, await get(`/v1/tickets/${window.ticket.id}`));
  Object.assign(state, { window, lists, queues: queues.queues, windows: windows.windows });
  paint();
});

const refreshAlarms = () => look(async () => strip.draw((await get("/v1/alarms")).alarms));

/** After a press on the strip. */
async function wentThere(trouble) {
  if (trouble instanceof Refusal && trouble.status === 401) return signIn();
  say(trouble ? whyNot(trouble) : "");
  if (trouble) note(whyNot(trouble), true);
  await refreshAlarms();
}

function signIn() {
  location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

const refreshSoon = soon(refresh, 80);
const alarmsSoon = soon(refreshAlarms, 0);

function hear(event) {
  if (event.type.startsWith("Alarm")) return alarmsSoon();
  if (event.data.window === state.no || event.data.from_window === state.no) noteEvent(event);
  refreshSoon();
}

function tick() {
  drawClock(state.window);
  const lost = feed !== null && feed.silence > STALE_MS;
  show("#lost", lost);
  if (lost) text("#lost-text", fill(t("No connection to the hall; trying again. Data as of {time}"), { time: clock(new Date(feed.contact)) }));
}

// ---- mouse and keys ----------------------------------------------------------------------------------------

const ready = () => !busy;

function onClick(selector, act) {
  $(selector).addEventListener("click", (event) => { if (ready() && event.detail < 2) act(); });
}

function onKey(event) {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (papers.isOpen) return; // the pages under the camera have the keys
  if (choosing()) return pressInChoices(key, event, ready);
  if (key === "Enter" && event.target.closest("button:not(#main)")) return; // the focused button answers by itself
  const act = key === "Enter" || key === "F2" ? () => MAIN[stage()].act() : deed(key);
  if (!act) return;
  event.preventDefault();
  if (ready()) act();
}

function deed(key) {
  const [id, act] = DEEDS[key] ?? [];
  if (!id) return OTHER_KEYS[key];
  return $(`#${id}`).disabled ? null : act;
}

function listen() {
  onClick("#main", () => MAIN[stage()].act());
  for (const [id, act] of Object.values(DEEDS)) onClick(`#${id}`, act);
  onClick("#open", () => MAIN.closed.act());
  onClick("#resume-window", () => MAIN.paused.act());
  onClick("#pause", pause);
  onClick("#close", () => onWindow("close"));
  onClick("#issue", issue);
  onClick("#scan", OTHER_KEYS.M);
  onClick("#leave", async () => { await order("/v1/sessions", undefined, { method: "DELETE" }).catch(() => {}); signIn(); });
  document.addEventListener("keydown", onKey);
}

// ---- beginning ---------------------------------------------------------------------------------------------

async function whichWindow() {
  const wanted = Number(new URLSearchParams(location.search).get("window") ?? state.person.window);
  if (wanted) return wanted;
  const { windows } = await get("/v1/windows");
  return new Promise((chosen) => ask(w("Which window is yours?"), windows.map((window) => ({
    icon: "table-cells", plain: [fill(t("Window {no}"), { no: window.no }) + ` ${window.name}`, ""], act: () => { closeChoices(); chosen(window.no); },
  })), { must: true }));
}

async function begin() {
  try {
    state.person = await get("/v1/sessions");
  } catch (trouble) {
    if (trouble instanceof Refusal) return signIn();
    show("#lost", true);
    text("#lost-text", t("The hall does not answer. Trying again."));
    return setTimeout(begin, 2000);
  }
  allow(state.person.csrf);
  const [hall, health] = await Promise.all([get("/v1/hall"), get("/v1/healthz")]);
  keepTime(hall);
  state.priorities = hall.priorities;
  drawPerson(state.person, hall);
  listen();
  state.no = await whichWindow();
  strip = new Strip(wentThere);
  papers = new Papers({ say, signIn });
  const again = () => { refreshSoon(); alarmsSoon(); };
  feed = new Feed({ after: health.seq, onEvent: hear, onAgain: again, rests: true }).start();
  await Promise.all([refresh(), refreshAlarms()]);
  setInterval(tick, 500);
  tick();
}

begin();
