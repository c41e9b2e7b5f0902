// A hue for each emotion: near to each other in feeling, near in colour.

const HUES = {
  joy: 85, amusement: 75, excitement: 65, optimism: 100, pride: 95, relief: 120, approval: 130, gratitude: 110,
  admiration: 50, desire: 10, love: 0, caring: 345, positive: 100,
  anger: 25, annoyance: 35, disapproval: 40, disgust: 140, negative: 25,
  sadness: 255, disappointment: 245, grief: 265, remorse: 275, embarrassment: 330,
  fear: 300, nervousness: 310,
  surprise: 195, realization: 185, curiosity: 205, confusion: 215, ambiguous: 200,
};

/** Degrees for oklch; labels that are not known get one from their letters. */
function hue(label) {
  if (label in HUES) return HUES[label];
  return [...label].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
}

/** Style variables for a label: its hue, and grey for neutral. */
export function paint(label) {
  return label === "neutral" ? { "--h": 290, "--c": 0.015 } : { "--h": hue(label) };
}
