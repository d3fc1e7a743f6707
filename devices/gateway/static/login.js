// The technician's way in.
const form = document.getElementById("form");
const refusal = document.getElementById("refusal");
const away = document.getElementById("away");
const csrf = document.querySelector("meta[name=csrf]").content;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  refusal.hidden = away.hidden = true;
  const password = document.getElementById("password");
  let answer;
  try {
    answer = await fetch("/api/session", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify({ password: password.value }),
    });
  } catch {
    away.hidden = false;
    return;
  }
  if (answer.ok) {
    location.replace(form.dataset.to + location.hash); // the device somebody looked at stands behind the #
    return;
  }
  const { sentence } = await answer.json();
  refusal.querySelector(".first").textContent = sentence[0];
  refusal.querySelector(".second").textContent = sentence[1];
  refusal.hidden = false;
  password.select();
});
