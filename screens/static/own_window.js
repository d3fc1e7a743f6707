// What the screens of one window share: fetching it, following its events, telling how old the picture is.
import { get, Refusal } from "/static/api.js";
import { clock, keepTime, now, show, text } from "/static/dom.js";
import { Feed, soon } from "/static/follow.js";
import { fill, t } from "./words.js";

/** Which ticket the invitation for `number` at window `no` is for: the state names none to screens, the journal does to
 *  enrolled ones. Null when this screen is not enrolled or the hall is away. */
export async function invitationOf(no, number) {
  try {
    const { seq } = await get("/v1/healthz");
    const { events } = await get(`/v1/events?after=${Math.max(0, seq - 500)}&limit=500&wait=0`);
    return events.findLast((event) => event.type === "RatingInvited" && event.data.window === no && event.data.number === number)?.data ?? null;
  } catch {
    return null;
  }
}

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
