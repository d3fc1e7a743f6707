// Drawing the clerk's desk from what the hall answered.
import { $, clock, clockSeconds, h, icon, minutesSince, pair, show, span, text } from "./dom.js";
import { both, fill, t, w } from "./words.js";

const LONG_WAIT_MIN = 30;
const LONG_NAME = 16; // letters of a hall's name that fit beside the window's
const MANY_QUEUES = 6; // more than these are told by their letters
const KEPT_NOTES = 30;
const WINDOW_STATES = { open: ["circle-check", w("Open")], paused: ["circle-pause", w("Paused")], closed: ["circle-xmark", w("Closed")] };
const STAGES = {
  closed: ["circle-xmark", w("Window closed")], paused: ["circle-pause", w("Paused")], idle: ["hourglass", w("Ready to call")],
  called: ["bullhorn", w("Being called")], serving: ["handshake", w("Being served")],
};
const EVENTS = {
  TicketCalled: w("Called"), TicketRecalled: w("Called again"), ServiceStarted: w("Service started"), TicketPassed: w("Passed"),
  TicketHeld: w("Put on hold"), TicketResumed: w("Served again"), TicketTransferred: w("Transferred"), ServiceFinished: w("Finished"),
  WindowOpened: w("Window opened"), WindowPaused: w("Window paused"), WindowResumed: w("Window resumed"), WindowClosed: w("Window closed"),
};

export function drawPerson(person, hall) {
  text("#hall-name", hall.name);
  document.body.classList.toggle("long-name", hall.name.length > LONG_NAME);
  text("#hall-english", hall.english);
  text("#clerk", person.name);
  text("#work-no", person.login);
}

function chip(selector, kind, [name, words]) {
  const node = $(selector);
  node.className = `chip ${kind}`;
  node.replaceChildren(icon(name), t(words));
}

export function drawWindow(window, now, main, lists) {
  const ticket = window.ticket;
  document.body.dataset.ticket = ticket?.state ?? "";
  document.title = `${ticket?.number ?? t("Clerk's desk")} · ${fill(t("Window {no}"), window)}`;
  text("#window-no", window.no);
  text("#window-name", window.name);
  if (window.clerk) {
    text("#clerk", window.clerk.name);
    text("#work-no", window.clerk.work_no);
  }
  chip("#window-state", window.state, WINDOW_STATES[window.state] ?? WINDOW_STATES.closed);
  if (window.state === "paused" && window.reason) $("#window-state").append(` · ${window.reason}`);
  show("#open", window.state === "closed");
  show("#resume-window", window.state === "paused");
  show("#pause", window.state === "open");
  show("#close", window.state !== "closed" && !ticket);
  chip("#state", ticket ? now : window.state === "open" ? "idle" : window.state, STAGES[now]);
  text("#number", ticket?.number ?? (now === "idle" ? (lists.waiting.length ? fill(t("{n} waiting"), { n: lists.waiting.length }) : t("Nobody waits")) : t(STAGES[now][1])));
  $("#number").classList.toggle("empty", !ticket);
  const next = now === "idle" ? lists.waiting[0] : null;
  text("#service", ticket ? ticket.service_name || ticket.queue_name : next ? fill(t("next: {number}"), next) : "");
  $(".times").classList.toggle("none", !ticket);
  text("#recalls", ticket?.recalls ? fill(t("called again {n} times"), { n: ticket.recalls }) : "");
  $("#main-icon").replaceChildren(icon(main.icon));
  $("#main-words").replaceChildren(pair(both(main.words)));
  drawClock(window);
}

export function drawClock(window) {
  text("#clock", clock());
  const ticket = window?.ticket;
  text("#time-label", ticket && ticket.state !== "serving" ? t("Since the call") : t("Time served"));
  const since = ticket?.state === "serving" ? ticket.started_at : ticket?.called_at;
  text("#time", since ? span(since) : "–");
  text("#waited", ticket?.issued_at && ticket.called_at ? fill(t("{n} min"), { n: Math.max(0, Math.round((Date.parse(ticket.called_at) - Date.parse(ticket.issued_at)) / 60000)) }) : "–");
}

const replace = (selector, rows, none) => $(selector).replaceChildren(...(rows.length || !none ? rows : [h("li.empty-list", {}, t(none))]));

export function drawWaiting(state, act) {
  const { waiting, held, passed } = state.lists;
  replace("#waiting", waiting.map((ticket) => waitingRow(ticket, act)));
  text("#waiting-count", waiting.length >= 50 ? "50+" : waiting.length);
  show("#waiting-none", waiting.length === 0);
  replace("#held", held.map((ticket) => asideRow(ticket, w("Resume"), act.resume)), w("none"));
  replace("#passed", passed.map((ticket) => asideRow(ticket, w("Rejoin"), act.rejoin)), w("none"));
  $("#queues").classList.toggle("many", state.queues.length > MANY_QUEUES);
  replace("#queues", state.queues.map((queue) => h("li", { title: queue.name }, h("b", {}, queue.code), h("span", {}, queue.name), h("strong", {}, String(queue.waiting)))));
}

function waitingRow(ticket, act) {
  const minutes = minutesSince(ticket.issued_at);
  return h("li", { "data-number": ticket.number },
    h("b", {}, ticket.number),
    h("span.what", {}, ticket.service_name || ticket.queue_name, ticket.priority ? h("span.mark", {}, " ", icon("star"), t("first")) : null),
    h(minutes >= LONG_WAIT_MIN ? "span.mins.long" : "span.mins", {}, fill(t("{n} min"), { n: minutes })),
    h("button.small", { type: "button", title: t("Call this number now"), onclick: (event) => event.detail < 2 && act.call(ticket) }, t("Call")),
    ticket.claim === "claimed" ? claimRow(ticket, act) : null);
}

function claimRow(ticket, act) {
  const press = (accept) => (event) => event.detail < 2 && act.verify(ticket, accept);
  return h("div.claim", {}, icon("id-card"), h("span", {}, t("Claims priority: please look")),
    h("button.small", { type: "button", onclick: press(true) }, icon("check"), t("Confirm")),
    h("button.small", { type: "button", onclick: press(false) }, icon("xmark"), t("Decline")));
}

function asideRow(ticket, words, act) {
  return h("li", {}, h("b", {}, ticket.number), h("span", {}, ticket.service_name || ticket.queue_name),
    h("button.small", { type: "button", onclick: (event) => event.detail < 2 && act(ticket) }, t(words)));
}

/** One sentence to the clerk: the hall's refusal, or what was done. */
export function say(sentence, done = false) {
  text("#say", sentence);
  $("#say").classList.toggle("done", done);
  show("#say", Boolean(sentence));
}

export function note(sentence, refused = false, when = undefined) {
  $("#log").prepend(h(refused ? "li.refused" : "li", {}, h("time", {}, clockSeconds(when)), sentence));
  while ($("#log").children.length > KEPT_NOTES) $("#log").lastChild.remove();
}

export function noteEvent(event) {
  const words = EVENTS[event.type];
  if (words) note([event.data.number, t(words)].filter(Boolean).join(" "), false, event.at);
}
