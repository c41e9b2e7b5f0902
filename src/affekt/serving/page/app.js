// The page: what is typed is classified as the writer pauses, and the words are explained for the emotion pointed at.

import { ApiError, ask, setKey } from "./api.js";
import { Bars } from "./bars.js";
import { showModel } from "./card.js";
import { $, make, percent, plural, say } from "./dom.js";
import { HARD, PLAIN } from "./examples.js";
import { filePanel } from "./file.js";
import { hideWords, noWords, showWords } from "./words.js";

const PAUSE = 250; // milliseconds without a key press that count as a pause
const SETS = { goemotions: "28 emotions", core14: "14 core", ekman: "Ekman’s 7", sentiment: "Sentiment" };

const state = { model: null, taxonomy: null, text: "", answer: null, explained: new Map() };
const bars = new Bars((label) => explain(label));
let timer = 0;
let classifying = null;
let explaining = null;

function limits() {
  return state.model?.limits ?? { text_chars: 10000, explain_chars: 2000, texts: 100 };
}

function typed() {
  const length = Array.from($("text").value).length;
  const most = limits().text_chars;
  $("count").textContent = length > 0.8 * most ? `${length.toLocaleString("en")} of ${plural(most, "character")}` : "";
  $("count").classList.toggle("over", length > most);
  clearTimeout(timer);
  timer = setTimeout(classify, PAUSE);
}

async function classify() {
  const text = $("text").value;
  classifying?.abort();
  explaining?.abort();
  if (!text.trim()) return empty();
  classifying = new AbortController();
  const { signal } = classifying;
  const started = performance.now();
  try {
    const answer = await ask("/v1/classify", { text, taxonomy: state.taxonomy, scores: true }, signal);
    if (signal.aborted) return undefined;
    Object.assign(state, { text, answer, explained: new Map() });
    show(answer, performance.now() - started);
    explain(bars.chosen);
  } catch (error) {
    if (error.name !== "AbortError") failed(error, classify);
  }
  return undefined;
}

function empty() {
  Object.assign(state, { text: "", answer: null });
  say($("error"));
  say($("summary"), "Nothing to read yet. Write something, or try an example.");
  $("latency").textContent = "";
  bars.clear();
  hideWords();
}

function show(answer, milliseconds) {
  const [result] = answer.results;
  const found = result.emotions.map((emotion) => emotion.label);
  say($("error"));
  bars.show(result.scores, answer.thresholds ?? {}, found);
  const list = result.emotions.map(({ label, score }) => `${label} ${percent(score)}`).join(", ");
  const windows = result.windowed ? " It is long, so it was read in overlapping parts." : "";
  say($("summary"), (list ? `Found: ${list}.` : "No emotion reaches its threshold.") + windows);
  $("latency").textContent = `answered in ${Math.round(milliseconds)} ms`;
  $("latency").title = `${answer.milliseconds.toFixed(1)} ms of it on the server`;
}

async function explain(label) {
  if (!label || !state.answer) return undefined;
  const { text } = state;
  if (Array.from(text).length > limits().explain_chars) {
    return noWords(`Words are coloured in texts of up to ${plural(limits().explain_chars, "character")}.`);
  }
  const known = state.explained.get(label);
  if (known) return showWords(text, label, known);
  explaining?.abort();
  explaining = new AbortController();
  const { signal } = explaining;
  const found = state.answer.results[0].emotions.map((emotion) => emotion.label);
  const emotions = found.includes(label) ? found : [label];
  try {
    const answer = await ask("/v1/explain", { text, taxonomy: state.taxonomy, emotions }, signal);
    for (const part of answer.explanation.emotions) state.explained.set(part.emotion, part.words);
    if (!signal.aborted && bars.chosen === label) showWords(text, label, state.explained.get(label));
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    if (error.status === 401) failed(error, () => explain(label));
    else noWords(error.message);
  }
  return undefined;
}

function failed(error, again) {
  if (error instanceof ApiError && error.status === 401) return askForKey(again);
  const wait = error.retryAfter ? ` Trying again in ${plural(error.retryAfter, "second")}.` : "";
  say($("error"), error.message + wait);
  say($("summary"));
  if (error.retryAfter) timer = setTimeout(again, 1000 * error.retryAfter);
  return undefined;
}

function askForKey(again) {
  const dialog = $("key-dialog");
  if (dialog.open) return;
  dialog.showModal();
  $("key-form").onsubmit = () => {
    setKey($("key").value);
    $("key").value = "";
    (state.model ? Promise.resolve() : start()).then(again);
  };
}

function sets(model) {
  const names = Object.keys(model.label_sets);
  state.taxonomy ??= model.taxonomy;
  $("sets").append(...names.map((name) => make(
    "label", { title: model.label_sets[name].labels.join(", ") },
    make("input", { type: "radio", name: "set", value: name, checked: name === state.taxonomy }),
    SETS[name] ?? name,
  )));
  $("sets").addEventListener("change", (event) => {
    state.taxonomy = event.target.value;
    classify();
  });
}

function examples() {
  const button = ([name, text, why]) => {
    const found = make("button", { type: "button", textContent: name, title: text });
    found.addEventListener("click", () => {
      $("text").value = text;
      say($("why"), why ? `Why it is hard: ${why}` : "");
      typed();
      clearTimeout(timer);
      classify();
    });
    return make("li", {}, found);
  };
  $("plain").replaceChildren(...PLAIN.map(button));
  $("hard").replaceChildren(...HARD.map(button));
}

function theme() {
  const names = { auto: "as the system says", light: "light", dark: "dark" };
  const set = (name) => {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    $("theme-name").textContent = name[0].toUpperCase() + name.slice(1);
    $("theme").setAttribute("aria-label", `${$("theme-name").textContent}: colours ${names[name]}`);
    try { localStorage.setItem("theme", name); } catch { /* private windows keep nothing */ }
    current = name;
  };
  let current = "auto";
  try { current = localStorage.getItem("theme") ?? "auto"; } catch { /* as above */ }
  set(current in names ? current : "auto");
  $("theme").addEventListener("click", () => set({ auto: "light", light: "dark", dark: "auto" }[current]));
}

async function start() {
  try {
    const model = await ask("/v1/model");
    state.model = model;
    sets(model);
    showModel(model);
  } catch (error) {
    failed(error, start);
  }
}

theme();
examples();
filePanel(() => ({ taxonomy: state.taxonomy, limits: limits() }));
$("text").addEventListener("input", () => {
  say($("why"));
  typed();
});
start().then(() => { if ($("text").value) typed(); });
