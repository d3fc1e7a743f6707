// A citizen's ticket: looks every five seconds, tells in words what to do now.
import { get, order, Refusal, Silence } from "./api.js";
import { $, clock, keepTime, pair, show, text } from "./dom.js";
import { faces, gradeWords } from "./faces.js";
import { both, fill, t, w } from "./words.js";

const EVERY_MS = 5000;
const OLD_MS = 15000;
const WORDS = {
  waiting: w("Please wait; watch the board or this page"), called: w("It is your turn"), serving: w("You are being served"),
  held: w("Put on hold; your clerk will take you back"), passed: w("Your number has passed"), done: w("Finished. Thank you."),
  cancelled: w("This number was given up"), expired: w("This number has expired; it was for another day"),
};
const STEPS = ["waiting", "called", "serving", "done"];
const AT_STEP = { waiting: 0, passed: 0, called: 1, serving: 2, held: 2, done: 4 };
const place = `/v1/tickets/${encodeURIComponent($("#ticket").dataset.id)}`;
let grade = null;
let last = null;
let contact = 0;
let asking = false;
let later = false;

function draw(ticket) {
  const arrived = last !== null && last.state !== ticket.state;
  last = ticket;
  document.body.dataset.state = ticket.state;
  text("#number", ticket.number);
  text("#what", ticket.service_name || ticket.queue_name);
  $("#words").replaceChildren(...pair(both(WORDS[ticket.state])).childNodes);
  document.title = ticket.state === "called" ? `● ${fill(t("Go to window {window}"), ticket)}` : `${ticket.number} · ${t(WORDS[ticket.state])}`;
  show("#figures", ticket.state === "waiting");
  text("#ahead", ticket.ahead);
  text("#wait", ticket.wait_minutes);
  show("#go-to", ticket.state === "called" && Boolean(ticket.window));
  text("#window", ticket.window);
  text("#zone", ticket.zone);
  show("#missed", ticket.state === "passed");
  drawSteps(ticket.state);
  drawRating(ticket);
  if (arrived) attention(ticket);
}

function drawSteps(state) {
  const at = AT_STEP[state];
  show("#steps", at !== undefined);
  STEPS.forEach((step, i) => { $(`[data-step="${step}"]`).className = i < at ? "past" : i === at ? "present" : ""; });
}

function drawRating(ticket) {
  const open = ticket.state === "done" && ticket.rating !== "rated"; // the slip may rate later, as long as nobody has
  show("#rate", open && !later);
  show("#thanks", ticket.rating === "rated");
  $("#thanks-words").replaceChildren(...pair(both(w("Rated. Thank you for telling us."))).childNodes);
}

function attention(ticket) {
  const face = $("#face");
  face.classList.remove("arrived");
  void face.offsetWidth; // lets the short movement begin again
  face.classList.add("arrived");
  if (ticket.state === "called") navigator.vibrate?.([300, 150, 300]);
}

async function look() {
  try {
    draw(await get(place));
    contact = Date.now();
    if (!asking) show("#refusal", false);
  } catch (trouble) {
    if (trouble instanceof Refusal) { text("#refusal", trouble.message); show("#refusal", true); } else if (!(trouble instanceof Silence)) throw trouble;
  }
  fresh();
}

function fresh() {
  if (!contact) return text("#fresh", t("Asking the hall…"));
  $("#fresh").classList.toggle("old", Date.now() - contact > OLD_MS);
  return text("#fresh", fill(t("Data as of {time}"), { time: clock(new Date(contact)) }));
}

/** One press, one request; the answer is the ticket as it is now, a refusal is shown as it comes. */
async function press(button, verb, body) {
  if (asking) return;
  asking = true;
  button.disabled = true;
  show("#refusal", false);
  let refused = "";
  try {
    draw(await order(`${place}/${verb}`, body));
  } catch (trouble) {
    refused = trouble instanceof Refusal ? trouble.message : t("The hall does not answer. Please try again.");
  }
  await look();
  text("#refusal", refused);
  show("#refusal", Boolean(refused));
  button.disabled = false;
  asking = false;
}

function choose(value, button) {
  grade = value;
  for (const other of $("#grades").children) other.setAttribute("aria-pressed", String(other === button));
  text("#sure-words", gradeWords(value)[0]);
  show("#sure", true);
  $("#sure").scrollIntoView({ block: "nearest" });
}

$("#grades").append(...faces(choose));
$("#send").addEventListener("click", (event) => grade && press(event.currentTarget, "rate", { grade, channel: "qr", options: [] }));
$("#skip").addEventListener("click", () => { later = true; show("#rate", false); });
$("#rejoin").addEventListener("click", (event) => press(event.currentTarget, "rejoin", {}));

get("/v1/hall").then((hall) => {
  keepTime(hall);
  text("#hall-name", hall.name);
  text("#hall-english", hall.english);
  text("#phone", hall.complaint_phone).href = `tel:${hall.complaint_phone.replace(/[^\d+]/g, "")}`;
}).catch(() => {});
setInterval(() => { if (!document.hidden && !asking) look(); }, EVERY_MS);
setInterval(fresh, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
look();
