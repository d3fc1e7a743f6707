// The five grades: a face and a word for each, never a colour alone.
import { h, icon, pair } from "./dom.js";
import { both, w } from "./words.js";

export const GRADES = [
  [5, "face-laugh-beam", w("Very satisfied")],
  [4, "face-smile", w("Satisfied")],
  [3, "face-meh", w("Fairly satisfied")],
  [2, "face-frown", w("Dissatisfied")],
  [1, "face-sad-tear", w("Very dissatisfied")],
];

/** Five buttons, best first; `press(grade, button)`. */
export const faces = (press) => GRADES.map(([grade, face, words]) => h(`button.grade.g${grade}`, {
  type: "button", "data-grade": grade, "aria-pressed": "false", onclick: (event) => press(grade, event.currentTarget),
}, icon(face), pair(both(words))));

export const gradeWords = (grade) => both(GRADES.find(([g]) => g === grade)[2]);
