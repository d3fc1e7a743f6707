// Signing in: one try at a time; where to go next depends on who you are.
import { get, order, Refusal } from "./api.js";
import { $, show, text } from "./dom.js";
import { t } from "./words.js";

const homes = { manager: "/manager", clerk: "/desk", technician: "/manager" };

/** Only a path of this hall, so that a link cannot lead a signed-in clerk elsewhere. */
function next(role) {
  const wish = new URLSearchParams(location.search).get("next") ?? "";
  return /^\/(?![/\\])/.test(wish) ? wish : homes[role] ?? "/";
}

get("/v1/hall").then((hall) => {
  text("#hall-name", hall.name);
  text("#hall-english", hall.english);
  document.title = `${document.title} · ${hall.name}`;
}).catch(() => {});

$("#form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = $("#enter");
  if (button.disabled) return;
  button.disabled = true;
  show("#refusal", false);
  try {
    const person = await order("/v1/sessions", { login: $("#login").value.trim(), password: $("#password").value });
    location.replace(next(person.role));
  } catch (trouble) {
    text("#refusal", trouble instanceof Refusal ? trouble.message : t("The hall does not answer. Please try again, or ask the technician."));
    show("#refusal", true);
    $("#password").select();
    button.disabled = false;
  }
});
