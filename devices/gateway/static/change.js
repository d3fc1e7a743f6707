// The difference a change makes: shown, saved or left. `plan` is what /api/setup/plan or /api/setup/undo says.
import { both, isSignedIn } from "./dom.js";

const csrf = document.querySelector("meta[name=csrf]").content;

/** Ask the station for JSON; a refusal becomes an Error with `sentence` and, where fields are wrong, `mistakes`. */
export async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) await isSignedIn(); // wrong figures, or a session that is over
  if (!answer.ok) throw Object.assign(new Error(said.detail ?? answer.status), { status: answer.status, ...said });
  return said;
}

/** Show a difference; resolves to true when it has been saved by `save`, to false when the person went back. */
export function confirmChange(plan, save) {
  const dialog = document.getElementById("change");
  const yes = document.getElementById("change-yes");
  const no = document.getElementById("change-no");
  const refusal = document.getElementById("change-refusal");
  list("change-words", plan.words);
  list("change-mistakes", plan.mistakes);
  lines(plan.difference);
  dialog.querySelector("details").hidden = plan.difference.length === 0;
  document.getElementById("change-nothing").hidden = plan.difference.length > 0;
  yes.disabled = plan.mistakes.length > 0 || plan.difference.length === 0;
  refusal.hidden = true;
  dialog.showModal();
  return new Promise((resolve) => {
    const end = (saved) => {
      dialog.close();
      yes.onclick = no.onclick = dialog.oncancel = null;
      resolve(saved);
    };
    no.onclick = () => end(false);
    dialog.oncancel = () => end(false);
    yes.onclick = async () => {
      yes.disabled = true;
      try {
        await save();
        end(true);
      } catch (why) {
        yes.disabled = false;
        if (why.mistakes) list("change-mistakes", why.mistakes);
        refusal.hidden = !why.sentence;
        if (why.sentence) both(refusal.querySelector("[data-pair]"), why.sentence);
      }
    };
  });
}

function list(id, items) {
  const el = document.getElementById(id);
  el.replaceChildren(...items.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  el.hidden = items.length === 0;
}

function lines(difference) {
  document.getElementById("change-lines").replaceChildren(
    ...difference.map((text) => {
      const line = document.createElement("span");
      line.textContent = `${text}\n`;
      line.className = { "+": "plus", "-": "minus", "@": "at" }[text[0]] ?? "";
      return line;
    }),
  );
}
