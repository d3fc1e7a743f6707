// The screen above a window: shows the number being served and the window's state in words.
import { $, h, icon, pair, show, text } from "/static/dom.js";
import { followWindow, invitationOf } from "./own_window.js";
import { both, t, w } from "./words.js";

const no = Number(document.body.dataset.window);
const FACES = {
  called: { icon: "bullhorn", words: w("Please come to this window") },
  serving: { icon: "handshake", words: w("Being served") },
  rate: { icon: "star", words: w("Please rate this visit"), large: w("Scan the code on your slip") },
  open: { icon: "", words: w("Welcome"), large: w("Please wait") },
  paused: { icon: "circle-pause", words: w("Back in a moment"), large: w("Paused") },
  closed: { icon: "circle-xmark", words: w("Please use another window"), large: w("Not open") },
};
let flashed = "";
let coded = ""; // the number whose code is shown

function draw(window, hall) {
  const ticket = window.ticket;
  const rating = !ticket && window.state === "open" && window.channel === "qr" ? window.rating : null; // no evaluator works here
  const state = ticket ? (ticket.state === "serving" ? "serving" : "called") : rating ? "rate" : window.state;
  drawCode(rating);
  const face = FACES[state];
  $("#face").dataset.state = state;
  text("#name", window.name);
  $("#state").replaceChildren(...((ticket || rating) && face.icon ? [icon(face.icon)] : []), pair(ticket ? both(face.words) : [window.reason && state === "paused" ? window.reason : t(face.words), ""]));
  text("#number", ticket?.number ?? t(face.large));
  $("#under").replaceChildren(...pair(ticket ? ["", ""] : ["", both(face.large)[1]]).childNodes);
  show("#clerk", Boolean(window.clerk) && state !== "closed");
  if (window.clerk) {
    text("#clerk-name", window.clerk.name);
    text("#clerk-no", window.clerk.work_no);
    text("#clerk-duties", window.clerk.duties);
  }
  text("#phone", window.complaint_phone ?? hall.complaint_phone);
  const call = state === "called" ? `${ticket.number} ${ticket.recalls}` : "";
  if (call && call !== flashed) flash();
  if (!call) $("#face").classList.remove("flash");
  flashed = call;
}

/** The code of the visit that may be rated now; on a screen that is not enrolled the words alone send people to their slip. */
async function drawCode(rating) {
  const number = rating?.number ?? "";
  if (coded === number) return;
  coded = number;
  show("#code", false);
  const found = number ? await invitationOf(no, number) : null;
  if (!found || coded !== number) return;
  $("#code-image").src = `/t/${encodeURIComponent(found.ticket)}/qr.svg`;
  text("#code-number", number);
  show("#code", true);
}

function flash() {
  const face = $("#face");
  face.classList.remove("flash");
  void face.offsetWidth; // a repeated call flashes again
  face.classList.add("flash");
}

followWindow(no, {
  draw,
  unknown: (sentence) => {
    $("#state").replaceChildren(h("span", {}, sentence));
    text("#number", "–");
  },
});
