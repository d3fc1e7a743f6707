// The evaluator card: the clerk's card while nothing is asked, five grades when a visit has ended, one press decides.
import { order, Refusal } from "/static/api.js";
import { $, h, icon, pair, show, text } from "/static/dom.js";
import { faces } from "/static/faces.js";
import { followWindow, invitationOf } from "./own_window.js";
import { REASONS, REASONS_VERSION } from "./reasons.js";
import { both, fill, t, w } from "./words.js";

const no = Number(document.body.dataset.window);
const THANKS_MS = 4000;
const REASONS_MS = 25000; // then the grade is sent without a reason
const POOR = 2;
let invited = null; // {ticket, number, until, staff_name}
let grade = null; // pressed for this invitation; the first press decides
let pressedAt = 0; // what counts is when it was pressed, not when the reasons were chosen
let chosen = new Set();
let timer = null;
const answered = new Set(); // tickets this card has answered for

const FACES = ["idle", "ask", "why", "thanks"];
const face = (name) => { FACES.forEach((one) => show(`#${one}`, one === name)); document.body.dataset.face = name; };

function invite(invitation) {
  if (!invitation.ticket || answered.has(invitation.ticket) || invited?.ticket === invitation.ticket) return;
  if (grade !== null) send(); // the next visit has ended while reasons were being chosen
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
  pressedAt = performance.now();
  if (value > POOR) return send();
  drawReasons();
  face("why");
  timer = setTimeout(send, REASONS_MS);
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
  const [given, options, since] = [grade, [...chosen], pressedAt];
  answered.add(ticket);
  invited = grade = null;
  thank(w("Thank you for telling us"));
  let late = given <= POOR; // reasons take their time
  const age = () => { // whole seconds; nothing that was put off counts as just now
    const seconds = late ? Math.ceil((performance.now() - since) / 1000) : 0;
    late = true;
    return seconds;
  };
  await deliver(`/v1/tickets/${ticket}/rate`, () => ({ grade: given, channel: "evaluator", options, age: age() }));
}

async function skip() {
  if (!invited || grade !== null) return;
  const { ticket } = invited;
  answered.add(ticket);
  invited = null;
  thank(w("Thank you, good-bye"));
  await deliver(`/v1/tickets/${ticket}/skip-rating`, () => ({}));
}

/** The rating was given; a loss of the cable must not lose it. The hall counts one rating of a visit: asking again is safe. */
async function deliver(path, body) {
  for (let patience = 900; patience > 0; patience -= 1) {
    try {
      await order(path, body());
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
  if (invited) return; // the next citizen is being asked
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
  show("#clerk-facts", Boolean(clerk));
  text("#clerk-no", clerk?.work_no ?? "–");
  text("#clerk-duties", clerk?.duties || "–");
  $("#hello").replaceChildren(pair(both(window.state === "open" ? w("At your service") : window.state === "paused" ? w("Paused") : w("Please use another window"))));
  if (window.rating && !invited) findInvitation(window.rating);
  else if (!window.rating && invited && grade === null && feed?.enrolled) rest(); // ended while this card was off
}

/** A card that was off when the visit ended. */
async function findInvitation({ number }) {
  const found = await invitationOf(no, number);
  if (found) invite(found);
}

function hear(event) {
  if (event.type === "RatingInvited") invite(event.data);
  if (event.type === "RatingClosed" && event.data.ticket === invited?.ticket && grade === null) rest();
}

$("#grades").append(...faces(press));
$("#skip").addEventListener("click", skip);
$("#no-reason").addEventListener("click", () => { chosen.clear(); send(); });
$("#with-reason").addEventListener("click", send);
face("idle");
followWindow(no, { draw, hear, unknown: (sentence) => text("#clerk-name", sentence) });
