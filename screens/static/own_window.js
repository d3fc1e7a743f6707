// What the screens of one window share: fetching it, following its events, telling how old the picture is.
import { get, Refusal } from "/static/api.js";
import { clock, keepTime, now, show, text } from "/static/dom.js";
import { Feed, soon } from "/static/follow.js";
import { fill, t } from "./words.js";

const STALE_MS = 10000;
const PATIENCE_MS = 2500; // for the first answer, before the sign shows

/** Follow window `no`: draw(window, hall) after every change, hear(event) for its own events. Answers nothing. */
export async function followWindow(no, { draw, hear = () => {}, unknown = () => {} }) {
  const begun = Date.now();
  let hall = {}, feed = null, shown = null;
  const alive = () => { shown = now(); };
  const refresh = async () => {
    try {
      const window = await get(`/v1/windows/${no}`);
      alive();
      draw(window, hall, feed);
    } catch (trouble) {
      if (trouble instanceof Refusal && trouble.status === 404) unknown(trouble.message);
    }
  };
  const refreshSoon = soon(refresh, 40);
  const tick = () => {
    const stale = feed ? feed.silence > STALE_MS : Date.now() - begun > PATIENCE_MS;
    document.body.dataset.stale = String(stale || !feed);
    show("#stale", stale);
    if (stale) text("#stale-text", shown ? fill(t("Data as of {time}"), { time: clock(shown) }) : t("Waiting for the hall"));
    if (document.querySelector("#clock")) text("#clock", clock());
  };
  setInterval(tick, 500);
  tick();
  while (!feed) {
    try {
      hall = await get("/v1/hall");
      keepTime(hall);
      const { seq } = await get("/v1/healthz");
      feed = new Feed({
        after: seq, onAgain: refreshSoon, onContact: alive,
        onEvent: (event) => {
          if (event.data.window !== no && event.data.from_window !== no) return;
          hear(event);
          refreshSoon();
        },
      }).start();
    } catch {
      await new Promise((wake) => setTimeout(wake, 1500));
    }
  }
  await refresh();
}
