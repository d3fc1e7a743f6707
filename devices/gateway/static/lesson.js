// Learning mode: each key in turn, what came, and what the learnt driver makes of further presses.
import { both, copy, fill } from "./dom.js";

const EVERY = 300; // ms

/** Wire the learning panel. `take` uses what was learnt. */
export function lesson({ at, ask, chosen, facts, take }) {
  let running = 0;
  let kind = "pad";
  let texts = [];

  const names = () => (kind === "pad" ? facts().keys : texts.map((text) => [text, [text, text]]));

  async function begin() {
    kind = ["window-screen", "hall-board"].includes(chosen.role) ? "strip" : "pad";
    texts = [];
    try {
      show(await ask("POST", "/api/setup/lesson", { link: chosen.link, kind }));
      at("lesson").hidden = false;
      at("drivers").hidden = true;
      at("strip-text").hidden = kind !== "strip";
      at("lesson").scrollIntoView({ block: "nearest" });
      running += 1;
      poll(running);
    } catch (why) {
      refuse(why);
      at("lesson").hidden = false;
    }
  }

  async function poll(turn) {
    while (turn === running) {
      try {
        const state = await ask("GET", "/api/setup/lesson");
        if (turn === running) show(state);
      } catch (why) {
        refuse(why);
      }
      await new Promise((done) => setTimeout(done, EVERY));
    }
  }

  function show(state) {
    at("lesson-trouble").hidden = !state.trouble;
    if (state.trouble) both(at("lesson-trouble").querySelector("[data-pair]"), state.trouble);
    const shown = JSON.stringify([state.key, state.presses, texts]);
    if (at("keys").dataset.shown !== shown) {
      at("keys").dataset.shown = shown;
      at("keys").replaceChildren(...names().map(([key, word]) => row(key, word, state)));
    }
    at("learnt").hidden = !state.learnt;
    at("replayed").replaceChildren(...state.replayed.map((text) => fill(copy("told"), { text })));
    if (state.learnt) at("learnt").dataset.found = JSON.stringify(state.learnt);
  }

  function row(key, word, state) {
    const presses = state.presses[key] ?? [];
    const li = fill(copy("key"), { word, count: presses.length ? `× ${presses.length}  ${presses.at(-1).slice(0, 47)}` : "" });
    const [choose, forget] = li.querySelectorAll("button");
    choose.dataset.key = key;
    choose.setAttribute("aria-pressed", String(state.key === key));
    choose.classList.toggle("enough", presses.length > 1);
    choose.addEventListener("click", () => change({ key: state.key === key ? "" : key }));
    forget.hidden = presses.length === 0;
    forget.addEventListener("click", () => change({ key, forget: true }));
    return li;
  }

  async function change(body) {
    try {
      show(await ask("POST", "/api/setup/lesson/key", body));
    } catch (why) {
      refuse(why);
    }
  }

  function refuse(why) {
    const box = at("lesson-refusal");
    box.hidden = false;
    const sentence = why.mistakes?.length ? [why.mistakes[0], why.mistakes[0]] : (why.sentence ?? [String(why), ""]);
    both(box.querySelector("[data-pair]"), sentence);
  }

  async function end() {
    running += 1;
    at("lesson").hidden = true;
    at("drivers").hidden = false;
    await ask("DELETE", "/api/setup/lesson").catch(refuse);
  }

  at("learn").addEventListener("click", begin);
  at("lesson-end").addEventListener("click", end);
  at("add-text").addEventListener("click", () => {
    const text = at("shown-text").value.trim();
    if (!text || texts.includes(text)) return;
    texts.push(text);
    at("shown-text").value = "";
    change({ key: text });
  });
  at("work-out").addEventListener("click", async () => {
    at("lesson-refusal").hidden = true;
    try {
      show(await ask("POST", "/api/setup/lesson/learn", {}));
    } catch (why) {
      refuse(why);
    }
  });
  at("take-learnt").addEventListener("click", async () => {
    const found = JSON.parse(at("learnt").dataset.found);
    await end();
    await take(found);
  });
}
