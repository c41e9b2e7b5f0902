// Texts to try; the hard ones say what makes them hard.

export const PLAIN = [
  ["Thank you", "I can't believe you drove three hours to help me move. Thank you, you absolute legend!"],
  ["Bad news", "They cancelled it again. Six months of work and nobody even called."],
  ["New job", "I start on Monday and I'm terrified, but also so proud that I got it."],
  ["Question", "Wait, how does that even work? I always thought you had to apply first."],
  ["Lost dog", "We had to say goodbye to Max this morning. The house is so quiet."],
];

export const HARD = [
  ["Irony", "Oh great, another meeting that could have been an email. My favourite.", "It says the opposite of what it means."],
  ["Negation", "I'm not angry, and I never was disappointed in you.", "The words name emotions that the writer denies."],
  ["Mixed", "I miss her every day, but I smile when I hear our song.", "Two feelings that pull in opposite directions."],
  ["Understated", "Well. That could have gone better.", "The feeling is in what is left unsaid."],
  ["Emoji only", "😭😭😭❤️", "There are no words; the same emoji can mean grief or joy."],
  ["Someone else's", "My sister was furious when she saw the bill. I just laughed.", "One of the emotions belongs to another person."],
  ["Slang", "That set was sick, I'm literally dead.", "The words are used against their dictionary meaning."],
  ["No emotion", "The train leaves at 9:40 from platform 2.", "Nothing is felt here; the right answer is neutral or nothing."],
];
