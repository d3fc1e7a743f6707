// What changes the whole list: undo, import, and a device's own "remove" and "replaced on purpose".
import { ask, confirmChange } from "./change.js";
import { both } from "./dom.js";

const at = (id) => document.getElementById(id);

/** Do it; a refusal is shown in words, and one for want of the second factor leads to where it is given. */
async function carefully(work) {
  at("tools-refusal").hidden = true;
  try {
    await work();
  } catch (why) {
    if (why.status === 403) {
      location.assign("/setup");
      return;
    }
    const sentence = why.mistakes?.length ? [why.mistakes.join("\n"), ""] : (why.sentence ?? [String(why), ""]);
    at("tools-refusal").hidden = false;
    both(at("tools-refusal").querySelector("[data-pair]"), sentence);
  }
}

async function offer(body) {
  const plan = await ask("POST", "/api/setup/plan", body);
  await confirmChange(plan, () => ask("POST", "/api/setup/save", { ...body, version: plan.version }));
}

at("undo").addEventListener("click", () => carefully(async () => {
  const plan = await ask("GET", "/api/setup/undo");
  await confirmChange(plan, () => ask("POST", "/api/setup/undo", { version: plan.version }));
}));

at("import").addEventListener("change", () => carefully(async () => {
  const [file] = at("import").files;
  at("import").value = "";
  if (file) await offer({ given: await file.text() });
}));

addEventListener("device-remove", ({ detail }) => carefully(() => offer({ remove: detail })));
addEventListener("device-accept", ({ detail }) => carefully(() => ask("POST", `/api/setup/devices/${encodeURIComponent(detail)}/accept`, {})));
