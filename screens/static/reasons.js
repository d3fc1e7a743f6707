// Reasons a citizen may give for a poor rating. A placeholder: the national standard's own list was not at hand.
import { w } from "./words.js";

export const REASONS_VERSION = "1";
export const REASONS = [
  ["attitude", w("The manner was not good")],
  ["slow", w("It took too long")],
  ["trips", w("I had to come more than once")],
  ["unclear", w("It was not explained clearly")],
  ["papers", w("More papers than the list says")],
  ["other", w("Something else")],
];
