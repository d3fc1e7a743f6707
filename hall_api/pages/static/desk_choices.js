// A small question with numbered answers: a key from 1 to 9, or a click; Escape goes back.
import { $, h, icon, pair, show } from "./dom.js";
import { both } from "./words.js";

let open = null;

export const choosing = () => open !== null;

/** Asks `question`. Each answer: {icon, words | plain: [Chinese, English], act(also)}. keep: the answer asks further. */
export function ask(question, answers, { also = false, must = false } = {}) {
  open = { answers, must };
  $("#choices-title").replaceChildren(pair(both(question)));
  $("#choices-list").replaceChildren(...answers.map((answer, i) => h("button", {
    type: "button", "data-choice": i + 1, onclick: (event) => event.detail < 2 && choose(i),
  }, i < 9 ? h("kbd", {}, String(i + 1)) : null, icon(answer.icon), pair(answer.plain ?? both(answer.words)))));
  show("#also", also);
  $("#also-next").checked = localStorage.getItem("then-next") === "yes";
  show("#choices-back", !must);
  show("#choices", true);
  $("#choices-list button")?.focus();
}

export function closeChoices() {
  open = null;
  show("#choices", false);
}

function choose(i) {
  const answer = open?.answers[i];
  if (answer) answer.act(!$("#also").hidden && $("#also-next").checked);
}

/** A key pressed while the question is open. */
export function pressInChoices(key, event, ready) {
  if (key === "Escape" && !open.must) { event.preventDefault(); return closeChoices(); }
  if (key === " " && !$("#also").hidden) {
    event.preventDefault();
    $("#also-next").checked = !$("#also-next").checked;
    return remember();
  }
  const i = Number(key) - 1;
  if (i >= 0 && i < open.answers.length && ready()) { event.preventDefault(); choose(i); }
}

function remember() {
  localStorage.setItem("then-next", $("#also-next").checked ? "yes" : "no");
}

$("#also-next").addEventListener("change", remember);
$("#choices-back").addEventListener("click", closeChoices);
