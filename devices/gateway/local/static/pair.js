// The clerk's page: who asks, who is paired. Allow, refuse, revoke. Every word comes from the page's own templates.
import { both, copy, fill, part, refill } from "/static/dom.js";

const csrf = document.querySelector("meta[name=csrf]").content;
const $ = (id) => document.getElementById(id);
const LOOK = 1000; // ms

async function press(path, body = {}) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(body),
  });
  const told = response.ok ? null : await response.json();
  $("refusal").hidden = response.ok;
  if (told) both($("refusal").querySelector(".pair"), told.sentence);
  await look();
}

function wish(one) {
  const card = fill(copy("wish"), one);
  part(card, "signs").hidden = !one.signs;
  part(card, "allow").addEventListener("click", () => press(`/v1/pair/${one.id}/allow`));
  part(card, "refuse").addEventListener("click", () => press(`/v1/pair/${one.id}/refuse`));
  return card;
}

function pairing(one) {
  const row = fill(copy("pairing"), one);
  part(row, "signs").hidden = !one.signs;
  part(row, "revoke").addEventListener("click", () => press("/v1/pair/revoke", { origin: one.origin }));
  return row;
}

async function look() {
  try {
    const { wishes, pairings } = await (await fetch("/v1/pair/state")).json();
    refill($("wishes"), wishes, wish);
    refill($("pairings"), pairings, pairing);
    $("quiet").hidden = wishes.length > 0;
    $("none").hidden = pairings.length > 0;
    $("lost").hidden = true;
  } catch {
    $("lost").hidden = false;
  }
}

await look();
setInterval(look, LOOK);
