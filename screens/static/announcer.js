// Announcements one after another, never two at once; a call interrupts whatever is not a call.

const LATE_MS = 60000; // nobody is helped by a call a minute old
const PATIENCE_MS = 20000;

export class Announcer {
  /** silent: never plays. onBlocked(yes): the browser wants a press before it lets a page sound. */
  constructor({ silent = false, onBlocked = () => {} } = {}) {
    Object.assign(this, { silent, onBlocked });
    this.waiting = [];
    this.playing = null; // {key, call, audio}
    this.blocked = false;
    this.played = []; // keys, newest last: for whoever looks after this screen
  }

  /** Tries the sound, so that a blocked board says so before the first call; `button` unblocks it. */
  async begin(button) {
    button.addEventListener("click", () => { this.#allow(false); this.#enqueue({ key: "check", source: "/voice/check.wav", call: false }); });
    if (navigator.userActivation && !navigator.userActivation.hasBeenActive) {
      const probe = new Audio("/screens/silence.wav");
      try { await probe.play(); } catch (trouble) { if (trouble.name === "NotAllowedError") this.#allow(true); }
    }
  }

  /** Announce the call told by journal line `seq`, unless it is long past. */
  call(seq, number, at, now) {
    if (this.silent || now - at > LATE_MS) return;
    this.waiting = this.waiting.filter((item) => item.number !== number); // a recall stands for the call before it
    if (this.playing && !this.playing.call) this.#stop();
    this.waiting = this.waiting.filter((item) => item.call);
    this.#enqueue({ key: String(seq), source: `/voice/${seq}.wav`, call: true, number, at });
  }

  #allow(blocked) {
    this.blocked = blocked;
    this.onBlocked(blocked);
  }

  #enqueue(item) {
    this.waiting.push({ begun: Date.now(), ...item });
    this.#next();
  }

  #stop() {
    this.playing?.audio.pause();
    this.playing = null;
  }

  async #next() {
    if (this.playing || this.blocked) return;
    this.waiting = this.waiting.filter((item) => Date.now() - item.begun < LATE_MS);
    const item = this.waiting.shift();
    if (!item) return;
    const audio = new Audio(item.source);
    this.playing = { ...item, audio };
    const mine = this.playing;
    const over = () => {
      clearTimeout(limit);
      if (this.playing === mine) { this.playing = null; this.#next(); }
    };
    const limit = setTimeout(over, PATIENCE_MS);
    audio.addEventListener("ended", over);
    audio.addEventListener("error", over);
    try {
      await audio.play();
      this.played = [...this.played.slice(-49), item.key];
      document.body.dataset.said = this.played.join(" ");
    } catch (trouble) {
      if (trouble.name === "NotAllowedError") { this.waiting.unshift(item); this.#allow(true); }
      over();
    }
  }
}
