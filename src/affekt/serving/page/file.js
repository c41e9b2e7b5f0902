// The panel for a whole table: choose, drop or paste it, watch it being read, take it away with its columns.

import { askPatiently } from "./api.js";
import { paint } from "./colours.js";
import { $, make, percent, plural, say } from "./dom.js";
import { decode, guessColumn, guessDelimiter, guessHeader, parseRows, portions, writeRows } from "./table.js";

const LARGEST = 100 * 1024 * 1024;
const PORTION = 100; // texts
const PORTION_CHARACTERS = 30000;
const PREVIEW = 6;

/**
 * @param {() => {taxonomy: string, limits: Object<string, number>}} context  what the rest of the page is set to
 */
export function filePanel(context) {
  let table = null;
  let stopper = null;

  function open(name, text) {
    const delimiter = /\.txt$/i.test(name) ? "\n" : guessDelimiter(text);
    const rows = delimiter === "\n" ? text.split(/\r?\n/).filter(Boolean).map((line) => [line]) : parseRows(text, delimiter);
    if (!rows.length) return fail("There are no rows in it.");
    table = { name, delimiter: delimiter === "\n" ? "," : delimiter, rows };
    $("header").checked = delimiter !== "\n" && guessHeader(rows[0]);
    reset();
    columns();
    $("drop").hidden = true;
    $("table-box").hidden = false;
    $("start").focus();
    return undefined;
  }

  function reset() {
    say($("file-error"));
    say($("file-status"));
    $("result-box").hidden = true;
    $("progress-box").hidden = true;
  }

  function names() {
    const width = Math.max(...table.rows.slice(0, 100).map((row) => row.length));
    return Array.from({ length: width }, (_, i) => ($("header").checked ? table.rows[0][i] : "") || `column ${i + 1}`);
  }

  const body = () => table.rows.slice($("header").checked ? 1 : 0);

  function columns() {
    const all = names();
    const guess = guessColumn(all, body());
    $("column").replaceChildren(...all.map((name, i) => make("option", { value: i, textContent: name, selected: i === guess })));
    preview();
  }

  function preview() {
    const chosen = Number($("column").value);
    const cell = (tag, value, i) => make(tag, { className: i === chosen ? "chosen" : "", textContent: value });
    $("preview-head").replaceChildren(make("tr", {}, ...names().map((name, i) => {
      const head = cell("th", name, i);
      head.scope = "col";
      return head;
    })));
    const first = body().slice(0, PREVIEW);
    $("preview-body").replaceChildren(...first.map((row) => make("tr", {}, ...row.map((value, i) => cell("td", value, i)))));
    $("table-name").textContent = `${table.name} · ${plural(body().length, "row")}`;
  }

  async function read(file) {
    if (file.size > LARGEST) return fail("The file is larger than 100 MB; use “affekt predict” on the command line for it.");
    const { text, guessed } = decode(await file.arrayBuffer());
    open(file.name, text);
    if (guessed && table) say($("file-status"), "The file is not UTF-8; it was read as Windows-1252.");
    return undefined;
  }

  async function run() {
    const { taxonomy, limits } = context();
    const rows = body();
    const column = Number($("column").value);
    const texts = rows.map((row) => row[column] ?? "");
    const results = new Array(rows.length).fill(null);
    stopper = new AbortController();
    busy(true);
    reset();
    $("progress-box").hidden = false;
    const started = performance.now();
    let done = 0;
    try {
      for (const part of portions(texts, Math.min(PORTION, limits.texts), PORTION_CHARACTERS)) {
        await classify(part, taxonomy, limits, results, stopper.signal);
        done += part.length;
        progress(done, rows.length, started);
      }
      finish(taxonomy, rows, results, started);
    } catch (error) {
      if (error.name === "AbortError") say($("file-status"), `Stopped after ${plural(done, "row")}.`);
      else fail(error.message);
    } finally {
      busy(false);
    }
  }

  async function classify(part, taxonomy, limits, results, signal) {
    const fits = part.filter(({ text }) => text.trim() && Array.from(text).length <= limits.text_chars);
    if (!fits.length) return;
    const question = { texts: fits.map(({ text }) => text), taxonomy, scores: true };
    try {
      const answer = await askPatiently("/v1/classify", question, signal);
      answer.results.forEach((result, i) => { results[fits[i].row] = result; });
    } catch (error) {
      if (![413, 422].includes(error.status)) throw error;
      if (fits.length === 1) return; // this one text is too much for the server: its row stays empty
      const half = Math.ceil(fits.length / 2);
      await classify(fits.slice(0, half), taxonomy, limits, results, signal);
      await classify(fits.slice(half), taxonomy, limits, results, signal);
    }
  }

  function progress(done, all, started) {
    $("progress").value = done / all;
    const speed = done / Math.max(0.001, (performance.now() - started) / 1000);
    $("progress-text").textContent = `${done.toLocaleString("en")} of ${plural(all, "row")}, ${Math.round(speed).toLocaleString("en")} a second`;
  }

  function finish(taxonomy, rows, results, started) {
    const labels = Object.keys(results.find(Boolean)?.scores ?? {});
    const width = names().length;
    const extra = ["affekt_emotions", "affekt_top", "affekt_top_score", ...($("all-scores").checked ? labels.map((label) => `affekt_${label}`) : [])];
    const out = rows.map((row, i) => [...row, ...Array(Math.max(0, width - row.length)).fill(""), ...cells(results[i], labels)]);
    const head = [...names(), ...extra];
    const link = $("download");
    if (link.href) URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([writeRows([head, ...out], table.delimiter)], { type: "text/csv;charset=utf-8" }));
    link.download = `${table.name.replace(/\.[^.]*$/, "")}-${taxonomy}.csv`;
    chart(results, labels);
    const left = results.filter((result) => !result).length;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say($("file-status"), `${plural(rows.length - left, "row")} read in ${seconds} s.` + (left ? ` ${plural(left, "row")} left empty: no text, or too long.` : ""));
    $("result-box").hidden = false;
    link.focus();
  }

  function cells(result, labels) {
    const every = $("all-scores").checked;
    if (!result) return Array(3 + (every ? labels.length : 0)).fill("");
    const top = labels.reduce((a, b) => (result.scores[b] > result.scores[a] ? b : a), labels[0]);
    const found = result.emotions.map((emotion) => emotion.label).join("; ");
    return [found, top, result.scores[top].toFixed(4), ...(every ? labels.map((label) => result.scores[label].toFixed(4)) : [])];
  }

  function chart(results, labels) {
    const read = results.filter(Boolean);
    const counts = labels.map((label) => [label, read.filter((result) => result.emotions.some((e) => e.label === label)).length]);
    const shown = counts.filter(([, count]) => count).sort((a, b) => b[1] - a[1]);
    const most = Math.max(1, ...shown.map(([, count]) => count));
    $("chart").replaceChildren(...shown.map(([label, count]) => make(
      "li",
      { ...paint(label), "--v": count / most },
      make("span", { textContent: label }),
      make("span", { className: "track", ariaHidden: "true" }, make("span", { className: "fill" })),
      make("span", { className: "value", textContent: `${count.toLocaleString("en")} (${percent(count / Math.max(1, read.length))})` }),
    )));
    if (!shown.length) $("chart").replaceChildren(make("li", { textContent: "No emotion in any row." }));
  }

  function busy(on) {
    for (const id of ["start", "forget", "column", "header", "all-scores"]) $(id).disabled = on;
    $("stop").hidden = !on;
    if (on) $("stop").focus();
  }

  function fail(sentence) {
    say($("file-error"), sentence);
  }

  $("pick").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) read(file);
  });
  $("paste-use").addEventListener("click", () => open("pasted rows", $("paste").value));
  $("column").addEventListener("change", preview);
  $("header").addEventListener("change", columns);
  $("start").addEventListener("click", run);
  $("stop").addEventListener("click", () => stopper?.abort());
  $("forget").addEventListener("click", () => {
    table = null;
    reset();
    $("table-box").hidden = true;
    $("drop").hidden = false;
    $("pick").focus();
  });
  dropZone((file) => read(file));
}

/** The whole panel takes a file that is dropped on it; elsewhere a drop does nothing instead of leaving the page. */
function dropZone(take) {
  const panel = $("file");
  const over = (on) => $("drop").classList.toggle("over", on);
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
  panel.addEventListener("dragover", () => over(true));
  panel.addEventListener("dragleave", () => over(false));
  panel.addEventListener("drop", (event) => {
    over(false);
    const [file] = event.dataTransfer?.files ?? [];
    if (file) take(file);
  });
}
