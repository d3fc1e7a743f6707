// Calls for help: a citizen at a kiosk asks for a person. One sentence, one button, wherever staff look.
//
// The hall clears a call once, however many press; whoever pressed second is told nothing, for nothing is left to do.
import { intent, order, Refusal } from "./api.js";
import { $, clock, h, icon, pair, show, text } from "./dom.js";
import { both, fill, t, w } from "./words.js";

const HELP = "help"; // the "device" of an alarm that is a citizen's call
const CHIME = [[659, 0], [523, 0.3]]; // hertz, after seconds: two soft notes, falling
const SETTLE_MS = 450; // when another call has just taken a call's place, a press was meant for the one before
const going = new Set(); // calls this page is answering
let settled = 0;
let placed = [];
const nameOf = (alarm) => `${alarm.machine} ${alarm.since}`;
const drawnAs = (call) => `${nameOf(call)} ${going.has(nameOf(call))}`;

/** Alarms parted in two: citizens who wait for a person, longest first; and things that do not work. */
export function part(alarms) {
  const calls = alarms.filter((alarm) => alarm.device === HELP).sort((a, b) => a.since.localeCompare(b.since));
  return { calls, troubles: alarms.filter((alarm) => alarm.device !== HELP) };
}

/** The sentence of a call: as the hall says it, and in the second language. */
export const sentence = (call) => pair([call.reason, fill(both(w("A citizen at {kiosk} asks for help; please go there."))[1], { kiosk: call.machine })]);

/** The button of a call. `done(trouble)` is called when the hall has answered: with null, or with what went wrong. */
export function goButton(call, done, key = null) {
  const busy = going.has(nameOf(call));
  return h("button.go-there", { type: "button", disabled: busy, "data-call": drawnAs(call), "aria-busy": busy ? "true" : null, onclick: (event) => event.detail < 2 && goThere(call, event.currentTarget, done) },
    icon(busy ? "hourglass-half" : "person-walking"), pair(both(busy ? w("Telling the others…") : w("I will go"))), key ? h("kbd", {}, key) : null);
}

/** Tells which calls have buttons now. Where one is gone others move up: what is pressed then was pressed for it. */
export function place(calls) {
  const names = calls.map(nameOf);
  if (names.length && placed.some((name) => !names.includes(name))) settled = performance.now() + SETTLE_MS;
  placed = names;
}

async function goThere(call, button, done) {
  if (going.has(nameOf(call)) || performance.now() < settled) return;
  going.add(nameOf(call));
  button.replaceWith(goButton(call, done));
  let trouble = null;
  try {
    await order("/v1/help/answer", { kiosk: call.machine }, { key: intent() });
  } catch (cause) {
    trouble = cause;
  }
  going.delete(nameOf(call));
  await done(trouble);
}

/** Whether calls and alarms look as they did: then their buttons, perhaps under a finger, stay. */
export const looks = (alarms) => JSON.stringify([alarms, alarms.filter((alarm) => alarm.device === HELP).map(drawnAs)]);

/** Why a press was in vain, as a sentence; other mistakes are ours and go on. */
export function whyNot(trouble) {
  if (trouble instanceof Refusal) return trouble.message;
  return t("The hall does not answer. Please try again.");
}

/** The strip above the desk: the call that waits longest; how many more there are; one line for what is broken. */
export class Strip {
  /** `done(trouble)`: after a press, when the hall has answered. */
  constructor(done) {
    Object.assign(this, { done, heard: new Set(), calls: [] });
    this.#drawBell();
    $("#help-bell").addEventListener("click", () => {
      localStorage.setItem("help-chime", quiet() ? "on" : "off");
      this.#drawBell();
    });
  }

  draw(alarms) {
    const { calls, troubles } = part(alarms);
    this.calls = calls;
    show("#help", calls.length > 0);
    place(calls.slice(0, 1));
    if (calls.length) this.#drawFirst(calls);
    else $("#help-go").replaceChildren();
    show("#trouble", troubles.length > 0);
    text("#trouble-text", fill(t("{n} alarms of devices; the live hall says which"), { n: troubles.length }));
    $("#trouble").title = troubles.map((alarm) => alarm.reason).join("\n");
    if (calls.some((call) => !this.heard.has(nameOf(call)))) chime();
    this.heard = new Set(calls.map(nameOf));
  }

  /** By key. */
  press() { $("#help-go button:enabled")?.click(); }

  #drawFirst([first, ...more]) {
    text("#help-more", more.length ? fill(t("and {n} more"), { n: more.length }) : "");
    if ($("#help-go button")?.dataset.call === drawnAs(first)) return; // a button under a finger stays
    $("#help-text").replaceChildren(sentence(first));
    text("#help-since", fill(t("since {time}"), { time: clock(first.since) }));
    $("#help-go").replaceChildren(goButton(first, this.done, "G"));
  }

  #drawBell() {
    $("#help-bell").replaceChildren(icon(quiet() ? "bell-slash" : "bell"), t(quiet() ? w("Chime is off") : w("Chime is on")));
    $("#help-bell").setAttribute("aria-pressed", String(!quiet()));
  }
}

const quiet = () => localStorage.getItem("help-chime") === "off";

/** Only where a browser lets a page sound: after somebody has pressed something on it. */
function chime() {
  if (quiet() || !navigator.userActivation?.hasBeenActive) return;
  const room = new AudioContext();
  for (const [hertz, after] of CHIME) {
    const [tone, loudness, start] = [room.createOscillator(), room.createGain(), room.currentTime + after];
    tone.frequency.value = hertz;
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.12, start + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.001, start + 0.7);
    tone.connect(loudness).connect(room.destination);
    tone.start(start);
    tone.stop(start + 0.75);
    if (after === CHIME.at(-1)[1]) tone.onended = () => room.close();
  }
}
