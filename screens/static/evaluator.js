// The evaluator card: the clerk's card while nothing is asked, five grades when a visit has ended, one press decides.
import { get, order, Refusal } from "/static/api.js";
import { $, h, icon, now, pair, show, text } from "/static/dom.js";
import { faces } from "/static/faces.js";
import { followWindow } from "./own_window.js";
import { REASONS, REASONS_VERSION } from "./reasons.js";
import { both, fill, t, w } from "./words.js";

const no = Number(document.body.dataset.window);
const THANKS_MS = 4000;
const REASONS_MS = 25000; // then the grade is sent without a reason
const MARGIN_MS = 3000; // before the hall's own limit
const POOR = 2;
let invited = null; // {ticket, number, until, staff_name}
let grade = null; // pressed for this invitation; the first press decides
let chosen = new Set();
let timer = null;
const answered = new Set(); // tickets this card has answered for

const FACES = ["idle", "ask", "why", "thanks"];
const face = (name) => { FACES.forEach((one) => show(`#${one}`, one === name)); document.body.dataset.face = name; };

function invite(invitation) {
  if (!invitation.ticket || answered.has(invitation.ticket) || invited?.ticket === invitation.ticket) return;
  clearTimeout(timer);
  invited = invitation;
  grade = null;
  chosen = new Set();
  text("#ask-number", invitation.number);
  text("#ask-clerk", invitation.staff_name ? `${invitation.staff_name} ${invitation.work_no ?? ""}` : "");
  face("ask");
}

function rest() {
  clearTimeout(timer);
  invited = null;
  grade = null;
  face("idle");
}

function thank(words) {
  clearTimeout(timer);
  $("#thanks-words").replaceChildren(...pair(both(words)).childNodes);
  face("thanks");
  timer = setTimeout(rest, THANKS_MS);
}

function press(value) {
  if (!invited || grade !== null) return; // a second press, however quick, changes nothing
  grade = value;
  if (value > POOR) return send();
  drawReasons();
  face("why");
  const left = invited.until ? Date.parse(invited.until) - now() - MARGIN_MS : REASONS_MS;
  timer = setTimeout(send, Math.max(500, Math.min(REASONS_MS, left)));
  return null;
}

function drawReasons() {
  $("#options").replaceChildren(...REASONS.map(([code, words]) => {
    const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
      const on = !chosen.delete(code) && Boolean(chosen.add(code));
      button.setAttribute("aria-pressed", String(on));
      button.firstChild.className = on ? "fa-solid fa-square-check" : "fa-regular fa-square";
    } }, h("i.fa-regular.fa-square", { "aria-hidden": "true" }), pair(both(words)));
    return button;
  }));
  text("#version", fill(t("Placeholder list, version {version}"), { version: REASONS_VERSION }));
}

async function send() {
  if (!invited) return;
  clearTimeout(timer);
  const { ticket } = invited;
  answered.add(ticket);
  invited = null;
  thank(w("Thank you for telling us"));
  await deliver(`/v1/tickets/${ticket}/rate`, { grade, channel: "evaluator", options: [...chosen] });
}

async function skip() {
  if (!invited || grade !== null) return;
  const { ticket } = invited;
  answered.add(ticket);
  invited = null;
  thank(w("Thank you, good-bye"));
  await deliver(`/v1/tickets/${ticket}/skip-rating`, {});
}

/** The rating was given; a short loss of the cable must not lose it. The same key makes sure it counts once. */
async function deliver(path, body) {
  const key = `evaluator-${no}-${path}`;
  for (let patience = 10; patience > 0; patience -= 1) {
    try {
      await order(path, body, { key });
      return;
    } catch (trouble) {
      if (trouble instanceof Refusal && trouble.status < 500) {
        if (trouble.status === 401 || trouble.status === 403) enrolFirst();
        else if (trouble.code !== "already_rated") note(trouble.message);
        return;
      }
      await new Promise((wake) => setTimeout(wake, 2000));
    }
  }
}

function note(sentence) {
  clearTimeout(timer);
  $("#thanks-words").replaceChildren(h("span.first", {}, sentence));
  face("thanks");
  timer = setTimeout(rest, THANKS_MS);
}

const enrolFirst = () => note(t("This card is not enrolled: a technician opens /enrol here with a screen token."));

function draw(window, hall, feed) {
  text("#hall-name", hall.name);
  text("#hall-english", hall.english);
  text("#phone", window.complaint_phone ?? hall.complaint_phone);
  const clerk = window.clerk;
  text("#clerk-name", clerk?.name ?? t(window.state === "paused" ? w("Paused") : w("Not open")));
  text("#clerk-no", clerk?.work_no ?? "–");
  text("#clerk-duties", clerk?.duties || "–");
  $("#hello").replaceChildren(pair(both(window.state === "open" ? w("At your service") : window.state === "paused" ? w("Paused") : w("Please use another window"))));
  if (window.rating && !invited) findInvitation(window.rating);
  else if (!window.rating && invited && grade === null && feed?.enrolled) rest(); // ended while this card was off
}

/** A card that was off when the visit ended: the state names no ticket to screens, the journal does. */
async function findInvitation({ number }) {
  try {
    const { seq } = await get("/v1/healthz");
    const { events } = await get(`/v1/events?after=${Math.max(0, seq - 500)}&limit=500&wait=0`);
    const found = events.findLast((event) => event.type === "RatingInvited" && event.data.window === no && event.data.number === number);
    if (found) invite(found.data);
  } catch { /* not enrolled, or the hall is away: the clerk's card stays */ }
}

function hear(event) {
  if (event.type === "RatingInvited") invite(event.data);
  if (event.type === "RatingClosed" && event.data.ticket === invited?.ticket) rest();
}

$("#grades").append(...faces(press));
$("#skip").addEventListener("click", skip);
$("#no-reason").addEventListener("click", () => { chosen.clear(); send(); });
$("#with-reason").addEventListener("click", send);
face("idle");
followWindow(no, { draw, hear, unknown: (sentence) => text("#clerk-name", sentence) });
