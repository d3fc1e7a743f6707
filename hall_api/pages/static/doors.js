// The list of doors: this hall's name, and two doors for each of its windows.
import { get } from "./api.js";
import { $, h, icon, text } from "./dom.js";
import { t } from "./words.js";

const door = (href, name, words) => h("a.button.small", { href }, icon(name), words);

get("/v1/hall").then((hall) => {
  text("#hall-name", hall.name);
  text("#hall-english", hall.english);
}).catch(() => {});
get("/v1/windows").then(({ windows }) => {
  $("#windows").append(...windows.map(({ no, name }) => h("li", { title: name }, h("b", {}, String(no)),
    door(`/window/${no}`, "display", t("Window screen")), door(`/evaluator/${no}`, "star", t("Evaluator")))));
}).catch(() => {});
