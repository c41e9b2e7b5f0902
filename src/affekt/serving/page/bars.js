// The emotions as bars with their thresholds; pointing at one, or moving to it by arrow keys, chooses it.

import { paint } from "./colours.js";
import { $, make, percent } from "./dom.js";

const FEW = 5;

/** Bars that call back with the label that was chosen. */
export class Bars {
  constructor(choose) {
    this.choose = choose;
    this.rows = [];
    this.chosen = null;
    this.all = false;
    $("bars").addEventListener("keydown", (event) => this.#move(event));
    $("more").addEventListener("click", () => {
      this.all = !this.all;
      this.#draw();
    });
  }

  /**
   * @param {Object<string, number>} scores
   * @param {Object<string, number>} thresholds
   * @param {string[]} found  labels that were decided
   */
  show(scores, thresholds, found) {
    this.rows = Object.entries(scores)
      .map(([label, score]) => ({ label, score, threshold: thresholds[label], hit: found.includes(label) }))
      .sort((a, b) => b.hit - a.hit || b.score - a.score);
    const stays = this.rows.some((row) => row.label === this.chosen && row.hit);
    this.chosen = stays ? this.chosen : this.rows[0]?.label ?? null;
    this.#draw();
  }

  clear() {
    this.rows = [];
    this.chosen = null;
    this.#draw();
  }

  pick(label) {
    if (label === this.chosen) return;
    this.chosen = label;
    for (const button of $("bars").querySelectorAll("button")) this.#mark(button);
    this.choose(label);
  }

  #draw() {
    const focused = document.activeElement?.dataset?.label;
    const hits = this.rows.filter((row) => row.hit).length;
    const shown = this.all ? this.rows : this.rows.slice(0, Math.max(FEW, hits));
    $("bars").replaceChildren(...shown.map((row) => make("li", {}, this.#button(row))));
    $("more").hidden = this.rows.length <= Math.max(FEW, hits);
    $("more").textContent = this.all ? "Show fewer" : `Show all ${this.rows.length}`;
    $("more").setAttribute("aria-expanded", String(this.all));
    $("bars-note").hidden = !this.rows.length;
    if (focused) $("bars").querySelector(`button[data-label="${CSS.escape(focused)}"]`)?.focus();
  }

  #button({ label, score, threshold, hit }) {
    const tick = threshold === undefined ? [] : [make("span", { className: "tick", "--t": threshold })];
    const button = make(
      "button",
      { type: "button", className: hit ? "hit" : "", ...paint(label), "--v": score },
      make("span", { className: "name", textContent: label }),
      make("span", { className: "track", ariaHidden: "true" }, make("span", { className: "fill" }), ...tick),
      make("span", { className: "value", textContent: percent(score) }),
    );
    button.dataset.label = label;
    button.title = threshold === undefined ? label : `${label}: found from ${percent(threshold)}`;
    button.addEventListener("pointerenter", () => this.pick(label));
    button.addEventListener("focus", () => this.pick(label));
    button.addEventListener("click", () => this.pick(label));
    this.#mark(button);
    return button;
  }

  #mark(button) {
    const on = button.dataset.label === this.chosen;
    button.setAttribute("aria-pressed", String(on));
    button.tabIndex = on ? 0 : -1;
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = [...$("bars").querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.tabIndex = 0;
    next.focus();
  }
}
