// Tables as text: reading comma-, tab-, semicolon- and bar-separated values, and writing them safely.

const DELIMITERS = [",", "\t", ";", "|"];
const TEXT_NAMES = /^(text|texts|comment|comments|tweet|message|review|sentence|content|body|utterance|post)$/i;

/** Rows of cells (RFC 4180: quotes may hold delimiters, line breaks and doubled quotes). */
export function parseRows(source, delimiter) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
    cell = "";
  };
  for (let i = 0; i < source.length; i += 1) {
    const letter = source[i];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (source[i + 1] === '"') { cell += '"'; i += 1; } else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === delimiter) { row.push(cell); cell = ""; }
    else if (letter === "\n") endRow();
    else if (letter === "\r") { if (source[i + 1] !== "\n") endRow(); }
    else cell += letter;
  }
  if (cell !== "" || row.length) endRow();
  return rows;
}

/** The delimiter under which the first rows are widest and most alike. */
export function guessDelimiter(source) {
  const start = source.slice(0, 20000);
  const scored = DELIMITERS.map((delimiter) => {
    const widths = parseRows(start, delimiter).slice(0, 20).map((row) => row.length);
    const usual = widths[0] ?? 1;
    const alike = widths.filter((width) => width === usual).length / Math.max(1, widths.length);
    return { delimiter, value: usual > 1 ? alike * 100 + Math.min(usual, 50) : 0 };
  });
  const best = scored.reduce((a, b) => (b.value > a.value ? b : a));
  return best.value ? best.delimiter : ",";
}

/** Which column holds the texts: by its name, or else the one with the longest cells. */
export function guessColumn(names, rows) {
  const named = names.findIndex((name) => TEXT_NAMES.test(name.trim()));
  if (named >= 0) return named;
  const lengths = names.map((_, column) => rows.slice(0, 50).reduce((sum, row) => sum + (row[column] ?? "").length, 0));
  return lengths.indexOf(Math.max(...lengths));
}

/** Whether the first row looks like names: short, different, and not numbers. */
export function guessHeader(first) {
  return (
    new Set(first).size === first.length &&
    first.every((cell) => cell.trim() && cell.length <= 40 && !isNumber(cell) && !/[.!?]\s*$/.test(cell))
  );
}

const isNumber = (cell) => /^\s*[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s*%?$/.test(cell);

/**
 * A cell that no spreadsheet takes for a formula: one that would start like a formula gets an apostrophe.
 * Plain numbers stay as they are.
 */
export function safeCell(cell) {
  return /^[\s\0]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell) && !isNumber(cell) ? `'${cell}` : /^[\t\r\n]/.test(cell) ? `'${cell}` : cell;
}

/** Rows as text, every cell made safe, quoted where needed. */
export function writeRows(rows, delimiter) {
  const needs = new RegExp(`["\\r\\n${delimiter === "|" ? "\\|" : delimiter}]|^\\s|\\s$`);
  const write = (value) => {
    const cell = safeCell(String(value));
    return needs.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  };
  return rows.map((row) => row.map(write).join(delimiter)).join("\r\n") + "\r\n";
}

/** Bytes as text: UTF-8 or UTF-16 by their mark, else UTF-8, else Windows' western one. */
export function decode(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: new TextDecoder("utf-16le").decode(buffer), guessed: false };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { text: new TextDecoder("utf-16be").decode(buffer), guessed: false };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(buffer), guessed: false };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(buffer), guessed: true };
  }
}

/** Portions of rows whose texts the server takes in one request. */
export function* portions(texts, most, characters) {
  let part = [];
  let size = 0;
  for (const [row, text] of texts.entries()) {
    if (part.length && (part.length >= most || size + text.length > characters)) {
      yield part;
      part = [];
      size = 0;
    }
    part.push({ row, text });
    size += text.length;
  }
  if (part.length) yield part;
}
