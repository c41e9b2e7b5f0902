// The model: its figures, its card (a little Markdown, made into elements), and how to call it.

import { $, make, plural } from "./dom.js";

const OVERALL = [
  ["macro_f1", "macro-F1"],
  ["micro_f1", "micro-F1"],
];
const MEANS = [
  ["average_precision", "mean average precision"],
  ["ece", "calibration error"],
];

export function showModel(model) {
  const labels = model.label_sets[model.taxonomy].labels.length;
  $("model-line").textContent =
    `${model.name}, version ${model.version}: ${labels} labels of its own, ${Object.keys(model.label_sets).length} label sets, ` +
    `reads ${model.max_tokens} tokens at once (longer texts in windows), on ${model.backend}.`;
  const known = figures(model.metrics);
  $("figures").hidden = !known.length;
  $("figures").replaceChildren(...known.map(([title, value, note]) => make(
    "div", {}, make("dt", { textContent: title }), make("dd", { textContent: value }, ...(note ? [make("small", { textContent: note })] : [])),
  )));
  $("card-text").replaceChildren(...markdown(model.card || "This model has no card."));
  $("curl").textContent =
    `curl ${location.origin}/v1/classify \\\n  -H 'content-type: application/json' \\\n  -d '{"texts": ["What a day!", "Please stop."]}'`;
}

/** The headline of the report that a model folder keeps: [name, value, interval] each; nothing if there is none. */
export function figures(metrics) {
  const report = Object.values(metrics ?? {}).find((entry) => entry?.outcomes?.[entry.headline]);
  if (!report) return [];
  const outcome = report.outcomes[report.headline];
  const overall = OVERALL.filter(([name]) => typeof outcome[name]?.value === "number").map(([name, title]) => {
    const { value, low, high } = outcome[name];
    return [title, value.toFixed(3), ` ${low.toFixed(3)} to ${high.toFixed(3)}`];
  });
  const means = MEANS.filter(([name]) => typeof report.mean?.[name] === "number").map(([name, title]) => [title, report.mean[name].toFixed(3), ""]);
  return [...overall, ...means, ["measured on", plural(report.texts, "text"), ` of ${report.data}`]];
}

/** Headings, lists, tables, code and paragraphs; anything else stays as it is written. */
export function markdown(source) {
  const text = source.replaceAll("\r\n", "\n").replace(/^---\n[\s\S]*?\n---\n/, "");
  return text.split(/^(```[^\n]*\n[\s\S]*?(?:^```[^\n]*$|(?![\s\S])))/m).flatMap((part) => (part.startsWith("```") ? [code(part)] : prose(part)));
}

function code(fenced) {
  return make("pre", { textContent: fenced.replace(/^[^\n]*\n/, "").replace(/\n?```[^\n]*$/, ""), tabIndex: 0 });
}

function prose(part) {
  return part.split(/\n{2,}/).map((block) => block.trim()).filter(Boolean).flatMap(element);
}

function element(block) {
  const lines = block.split("\n");
  const heading = /^(#{1,6})\s+(.*)$/.exec(lines[0]);
  if (heading) {
    const rest = lines.slice(1).join("\n").trim();
    return [make(heading[1].length <= 2 ? "h3" : "h4", {}, ...inline(heading[2])), ...(rest ? element(rest) : [])];
  }
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
