// The words of the text, coloured by what they did to one emotion.

import { paint } from "./colours.js";
import { $, make } from "./dom.js";

const FAINT = 0.08; // share of the strongest weight below which a word stays plain
const PLAIN = 0.5; // log-odds that get a full colour if no word has more: where nothing matters, nothing shouts

/**
 * @param {string} text
 * @param {string} emotion
 * @param {{start: number, end: number, weight: number}[]} words  positions in code points
 */
export function showWords(text, emotion, words) {
  const points = Array.from(text);
  const strongest = Math.max(PLAIN, ...words.map((word) => Math.abs(word.weight)));
  const parts = [];
  let cursor = 0;
  for (const word of words) {
    parts.push(points.slice(cursor, word.start).join(""), piece(points, word, strongest, emotion));
    cursor = word.end;
  }
  parts.push(points.slice(cursor).join(""));
  $("words-title").textContent = `Words that moved “${emotion}”`;
  $("marked").replaceChildren(...parts);
  for (const [name, value] of Object.entries({ "--c": "", ...paint(emotion) })) $("legend-for").style.setProperty(name, value);
  $("legend").hidden = false;
  $("words-box").hidden = false;
}

function piece(points, word, strongest, emotion) {
  const text = points.slice(word.start, word.end).join("");
  const share = Math.abs(word.weight) / strongest;
  if (share < FAINT) return text;
  const kind = word.weight > 0 ? "for" : "against";
  const sign = word.weight > 0 ? "+" : "−";
  return make("span", {
    className: `mark ${kind}`,
    ...paint(emotion),
    "--s": (0.15 + 0.85 * share).toFixed(2),
    title: `${sign}${Math.abs(word.weight).toFixed(2)} log-odds for ${emotion}`,
    textContent: text,
  });
}

/** Say why there are no colours, keeping the place. */
export function noWords(sentence) {
  $("words-title").textContent = "Words";
  $("marked").textContent = sentence;
  $("legend").hidden = true;
  $("words-box").hidden = false;
}

export function hideWords() {
  $("words-box").hidden = true;
}
