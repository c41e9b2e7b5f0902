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

export const percent = (value) => `${Math.round(100 * value)} %`;

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
