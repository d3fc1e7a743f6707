// Building pages from data: elements, never markup in strings; times in the hall's own zone.

/** h("button.act", {type: "button", onclick}, "text", child…): an element. Null children are left out. */
export function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag || "div");
  node.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export const icon = (name) => h(`i.fa-solid.fa-${name}`, { "aria-hidden": "true" });
export const $ = (selector, root = document) => root.querySelector(selector);

export function text(selector, value, root = document) {
  const node = typeof selector === "string" ? $(selector, root) : selector;
  const words = value === null || value === undefined ? "" : String(value);
  if (node.textContent !== words) node.textContent = words;
  return node;
}

export const show = (selector, visible) => { (typeof selector === "string" ? $(selector) : selector).hidden = !visible; };

let zone = "Asia/Shanghai";
let drift = 0; // hall's clock minus ours, ms

/** Learn the hall's zone and clock from GET /v1/hall. */
export function keepTime(hall) {
  if (hall.time_zone) zone = hall.time_zone;
  if (hall.now) drift = Date.parse(hall.now) - Date.now();
}

export const now = () => new Date(Date.now() + drift);
const format = (options, language = "zh-CN") => (when) => new Intl.DateTimeFormat(language, { timeZone: zone, hourCycle: "h23", ...options })
  .format(typeof when === "string" ? new Date(when) : when);
export const clock = (when = now()) => format({ hour: "2-digit", minute: "2-digit" })(when);
export const clockSeconds = (when = now()) => format({ hour: "2-digit", minute: "2-digit", second: "2-digit" })(when);
export const day = (when = now()) => format({ year: "numeric", month: "long", day: "numeric", weekday: "long" })(when);
export const dayEnglish = (when = now()) => format({ weekday: "long", day: "numeric", month: "long" }, "en-GB")(when);
export const date = (when) => format({ month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" })(when);

/** Whole seconds between two moments as m:ss or h:mm:ss. */
export function span(from, to = now()) {
  const seconds = Math.max(0, Math.floor((to - Date.parse(from)) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

export const minutesSince = (from) => Math.max(0, Math.floor((now() - Date.parse(from)) / 60000));

/** Two lines: the hall's first language, and the second below in two thirds of the size. */
export const pair = ([first, second], what = "span.pair") => h(what, {},
  h("span.first", {}, first), second && second !== first ? h("span.second", { lang: "en" }, second) : null);
