// Following the hall's journal: hears every event once, in order, and knows how long ago the hall last gave a sign.
//
// EventSource hides two things a public screen must know: the keep-alive comments (is the cable still there?) and the
// status (is this screen enrolled?). So the stream is read by hand.

const QUIET_MS = 7000; // silent for so long: ask whether anybody is there
const PING_MS = 2000; // for an answer to begin; a pulled cable never answers
const PAUSES_MS = [200, 500, 1000, 1500];
const GLANCE_MS = 1000; // without enrolment: look whether anything has happened
const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

export class Feed {
  /**
   * after: sequence number already known. onEvent({seq, at, type, data}). onAgain(): everything may have changed, fetch it.
   * onContact(date): a sign of life. rests: let go of the connection while nobody looks at the page.
   */
  constructor({ after = null, onEvent = () => {}, onAgain = () => {}, onContact = () => {}, rests = false }) {
    Object.assign(this, { seq: after, onEvent, onAgain, onContact, rests });
    this.contact = Date.now();
    this.enrolled = true;
    this.stopped = false;
    this.stream = null;
  }

  start() {
    this.watch = setInterval(() => this.#check(), 1000);
    if (this.rests) document.addEventListener("visibilitychange", () => this.#rest());
    this.#run();
    return this;
  }

  stop() {
    this.stopped = true;
    clearInterval(this.watch);
    this.stream?.abort();
  }

  /** Milliseconds since the last sign of life. */
  get silence() { return Date.now() - this.contact; }

  #alive() {
    this.contact = Date.now();
    this.onContact(new Date(this.contact));
  }

  async #run() {
    for (let failures = 0; !this.stopped;) {
      if (this.rests && document.hidden) { await pause(300); continue; }
      const before = this.contact;
      try {
        await (this.enrolled ? this.#listen() : this.#glance());
      } catch { /* told by the growing silence */ }
      failures = this.contact > before ? 0 : failures + 1;
      if (this.enrolled && !this.stopped) await pause(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] * (0.75 + Math.random() / 2));
    }
  }

  async #listen() {
    if (this.opened) await this.#resume();
    this.opened = true;
    this.stream = new AbortController();
    const limit = setTimeout(() => this.stream.abort(), PING_MS);
    const headers = { Accept: "text/event-stream" };
    if (this.seq !== null) headers["Last-Event-ID"] = String(this.seq);
    const answer = await fetch("/v1/events", {
      headers, cache: "no-store", credentials: "same-origin", signal: this.stream.signal,
    }).finally(() => clearTimeout(limit));
    if (answer.status === 401 || answer.status === 403) { this.enrolled = false; return; }
    if (!answer.ok) throw new Error(`${answer.status}`);
    this.#alive();
    this.onAgain();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.#alive();
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) this.#hear(block);
    }
  }

  #hear(block) {
    const data = block.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
    if (!data.length) return;
    const event = JSON.parse(data.join("\n"));
    if (this.seq !== null && event.seq <= this.seq) return;
    this.seq = event.seq;
    this.onEvent(event);
  }

  async #health() {
    const answer = await fetch("/v1/healthz", { cache: "no-store", signal: AbortSignal.timeout(PING_MS) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const { seq } = await answer.json();
    this.#alive();
    return seq;
  }

  /** Before going on where we were: is it still the same journal? A hall set up anew begins to count anew. */
  async #resume() {
    const seq = await this.#health();
    if (this.seq !== null && seq < this.seq) this.seq = seq;
  }

  async #glance() {
    await pause(GLANCE_MS);
    const seq = await this.#health();
    if (seq === this.seq) return;
    this.seq = seq;
    this.onAgain();
  }

  /** A cable that was pulled says nothing: ask, and give the dead stream up when nobody answers. */
  async #check() {
    if (this.checking || !this.enrolled || this.silence < QUIET_MS || (this.rests && document.hidden)) return;
    this.checking = true;
    try {
      await this.#health();
    } catch {
      this.stream?.abort();
    } finally {
      this.checking = false;
    }
  }

  #rest() {
    if (document.hidden) this.stream?.abort(); // browsers allow six connections to one hall; a hidden page needs none
  }
}

/** Calls `work` soon, once, however often it is asked for; never twice at a time. */
export function soon(work, delay = 60) {
  let timer = null, running = false, again = false;
  const run = async () => {
    timer = null;
    running = true;
    try { await work(); } finally {
      running = false;
      if (again) { again = false; ask(); }
    }
  };
  const ask = () => {
    if (running) again = true;
    else timer ??= setTimeout(run, typeof delay === "function" ? delay() : delay);
  };
  return ask;
}
