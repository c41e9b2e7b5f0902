// Small helpers for making elements; text is always set as text, never as markup.

export const $ = (id) => document.getElementById(id);

/** An element with properties, style variables (names that begin with "--") and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Show a sentence, or hide the place where it stands. */
export function say(element, sentence = "") {
  element.textContent = sentence;
  if (element.classList.contains("error") || element.classList.contains("why")) element.hidden = !sentence;
}

/** Whole per cent; what is there but rounds to nothing is "under 1 %", and what is not quite all is not 100 %. */
export const percent = (value) => {
  if (value > 0 && value < 0.005) return "<1 %";
  return value < 1 && value >= 0.995 ? ">99 %" : `${Math.round(100 * value)} %`;
};

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
