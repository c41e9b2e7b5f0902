// The model: its figures, its card (a little Markdown, made into elements), and how to call it.

import { $, make } from "./dom.js";

const FIGURES = [
  ["macro_f1", "macro-F1"],
  ["micro_f1", "micro-F1"],
  ["mean_average_precision", "mean average precision"],
  ["ece", "calibration error"],
];

export function showModel(model) {
  const labels = model.label_sets[model.taxonomy].labels.length;
  $("model-line").textContent =
    `${model.name}, version ${model.version}: ${labels} labels of its own, ${Object.keys(model.label_sets).length} label sets, ` +
    `reads ${model.max_tokens} tokens at once (longer texts in windows), on ${model.backend}.`;
  const known = FIGURES.filter(([name]) => typeof model.metrics[name] === "number");
  $("figures").replaceChildren(...known.map(([name, title]) => make(
    "div", {}, make("dt", { textContent: title }), make("dd", { textContent: model.metrics[name].toFixed(3) }),
  )));
  $("card-text").replaceChildren(...markdown(model.card || "This model has no card."));
  $("curl").textContent =
    `curl ${location.origin}/v1/classify \\\n  -H 'content-type: application/json' \\\n  -d '{"texts": ["What a day!", "Please stop."]}'`;
}

/** Headings, lists, tables, code and paragraphs; anything else stays as it is written. */
export function markdown(source) {
  const blocks = source.replace(/^---\n[\s\S]*?\n---\n/, "").replaceAll("\r\n", "\n").split(/\n{2,}/);
  return blocks.map((block) => block.trim()).filter(Boolean).flatMap(element);
}

function element(block) {
  const lines = block.split("\n");
  const heading = /^(#{1,6})\s+(.*)$/.exec(lines[0]);
  if (heading) {
    const rest = lines.slice(1).join("\n").trim();
    return [make(heading[1].length <= 2 ? "h3" : "h4", {}, ...inline(heading[2])), ...(rest ? element(rest) : [])];
  }
  if (block.startsWith("```")) return [make("pre", { textContent: lines.slice(1).filter((line) => !line.startsWith("```")).join("\n"), tabIndex: 0 })];
  if (lines.every((line) => /^\s*([-*]|\d+\.)\s|^\s{2,}/.test(line))) {
    const items = block.split(/\n(?=\s*(?:[-*]|\d+\.)\s)/).map((item) => item.replace(/^\s*([-*]|\d+\.)\s+/, "").replace(/\n\s*/g, " "));
    return [make("ul", {}, ...items.map((item) => make("li", {}, ...inline(item))))];
  }
  if (lines.length > 1 && /^\|?[\s:|-]+\|?$/.test(lines[1]) && lines[0].includes("|")) return [grid(lines)];
  return [make("p", {}, ...inline(lines.join(" ")))];
}

function grid(lines) {
  const cells = (line) => line.replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const row = (tag, line) => make("tr", {}, ...cells(line).map((cell) => make(tag, {}, ...inline(cell))));
  return make("table", {}, make("thead", {}, row("th", lines[0])), make("tbody", {}, ...lines.slice(2).map((line) => row("td", line))));
}

/** Bold, code and links (as their text). */
function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`|\[[^\]]+\]\([^)]+\))/).filter(Boolean).map((part) => {
    if (part.startsWith("**")) return make("strong", { textContent: part.slice(2, -2) });
    if (part.startsWith("`")) return make("code", { textContent: part.slice(1, -1) });
    return part.startsWith("[") ? part.slice(1, part.indexOf("]")) : part;
  });
}
