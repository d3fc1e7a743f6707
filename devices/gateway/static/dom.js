// Puts data into the page's own templates. No word is made here: the server says them all.

/** A fresh copy of <template id=…>'s only element. */
export function copy(id) {
  return document.getElementById(id).content.cloneNode(true).firstElementChild;
}

/** The plain text of a <template id=…>. */
export function wording(id) {
  return document.getElementById(id).content.textContent.trim();
}

/** Fill every data-text, data-icon, data-time and data-pair of `root` for which `data` has a value. */
export function fill(root, data) {
  for (const [name, value] of Object.entries(data)) {
    for (const el of all(root, "text", name)) say(el, value);
    for (const el of all(root, "icon", name)) shape(el, value);
    for (const el of all(root, "time", name)) moment(el, value);
    for (const el of all(root, "pair", name)) both(el, value);
  }
  return root;
}

/** The element marked data-part=name or data-list=name. */
export function part(root, name) {
  return root.querySelector(`[data-part="${name}"], [data-list="${name}"]`);
}

/** Replace the children of a list, one for each item; leaves it alone when nothing changed. */
export function refill(list, items, make) {
  const key = JSON.stringify(items);
  if (list.dataset.key === key) return false;
  list.dataset.key = key;
  list.replaceChildren(...items.map(make));
  return true;
}

/** Whether this session still may look at devices; if not, go and sign in, and come back here. */
export async function isSignedIn() {
  const answer = await fetch("/api/devices").catch(() => null);
  if (answer?.status !== 401) return true;
  location.replace(`/login?to=${encodeURIComponent(location.pathname + location.search)}${location.hash}`);
  return false;
}

/** Two lines: the first language, and the second below it unless it says the same. */
export function both(el, [first, second]) {
  say(el.querySelector(".first"), first);
  say(el.querySelector(".second"), second === first ? "" : second);
}

/** The same in one line, where only plain text fits. */
export function spoken([first, second]) {
  return second === first ? first : `${first} ${second}`;
}

/** The roles of a device as two lines. */
export function roles(device) {
  return [device.roles.map(([first]) => first).join("、"), device.roles.map(([, second]) => second).join(", ")];
}

/** Local time of day, with the date when it was not today. */
export function clock(iso) {
  const at = new Date(iso);
  const time = at.toLocaleTimeString("zh-CN", { hour12: false });
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString("zh-CN")} ${time}`;
}

function moment(el, iso) {
  el.dateTime = iso;
  say(el, clock(iso));
}

function shape(el, icon) {
  el.className = `fa-solid fa-${icon}`;
}

function say(el, value) {
  const text = value === null || value === undefined ? "" : String(value);
  if (el.textContent !== text) el.textContent = text;
}

function all(root, kind, name) {
  const found = [...root.querySelectorAll(`[data-${kind}="${name}"]`)];
  return root.dataset[kind] === name ? [root, ...found] : found;
}
